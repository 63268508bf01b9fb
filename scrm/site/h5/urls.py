"""Addresses of the pages of staff."""

from django.urls import path

from scrm.site.h5 import views

app_name = "h5"
urlpatterns = [
    path("signin/", views.signin, name="signin"),
    path("signin/back/", views.back, name="signin-back"),
]
