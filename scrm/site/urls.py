"""Addresses of the face."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from scrm.site.console import settings, todays_tasks
from scrm.site.signin import console
from scrm.site.views import brake, connection, health

_CONNECTION = [
    path("", connection.page, name="page"),
    path("checks/<slug:name>/", connection.try_check, name="try"),
    path("proofs/", connection.keep_proof, name="keep-proof"),
    path("proofs/<int:number>/drop/", connection.drop_proof, name="drop-proof"),
    path("codes/", connection.adopt_codes, name="adopt-codes"),
]

# Pages of the console beside the lists of the admin.
_CONSOLE = [
    path("settings/", settings.page, name="settings"),
    path("tasks/", todays_tasks.page, name="tasks"),
    path("tasks/remind/", todays_tasks.remind_staff, name="tasks-remind"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    re_path(r"^(?P<name>(?:WW|MP)_verify_[A-Za-z0-9]{1,64}\.txt)$", health.domain_proof, name="domain-proof"),
    path("admin/login/", console.login_page),
    path("signin/", console.start, name="signin"),
    path("signin/back/", console.back, name="signin-back"),
    path("h5/", include("scrm.site.h5.urls")),
    path("brake/press/", brake.press, name="brake-press"),
    path("brake/release/", brake.release, name="brake-release"),
    path("connection/", include((_CONNECTION, "connection"))),
    path("console/", include((_CONSOLE, "console"))),
    path("i18n/", include("django.conf.urls.i18n")),
    path("dashboards/", include("scrm.site.dashboards.urls")),
    path("api/v1/", include("scrm.site.api.urls")),
]
