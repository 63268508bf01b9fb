"""Addresses under /dashboards/."""

from django.urls import path

from scrm.site.dashboards import views

app_name = "dashboards"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("data.json", views.data, name="data"),
    path("rows/<str:metric>/", views.rows, name="rows"),
    path("people/", views.people, name="people"),
    path("dictionary/", views.dictionary, name="dictionary"),
]
