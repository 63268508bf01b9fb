"""Addresses of the face."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from scrm.site.console import settings, todays_tasks
from scrm.site.views import health

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
    path("console/", include((_CONSOLE, "console"))),
    path("i18n/", include("django.conf.urls.i18n")),
    path("dashboards/", include("scrm.site.dashboards.urls")),
    path("api/v1/", include("scrm.site.api.urls")),
]
