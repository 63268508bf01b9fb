"""Root addresses; the names are those of the README's table. Callbacks never come here (scrm.wecom.callback.door)."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("", include("scrm.site.urls")),  # before the admin, which takes every address below its own
    path("admin/", admin.site.urls),
]
