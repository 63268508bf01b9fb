"""Addresses of the pages of staff."""

from django.urls import path

from scrm.site.h5 import tasks, views

app_name = "h5"
urlpatterns = [
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/ticks/<int:number>/", tasks.set_tick, name="tick"),
    path("signin/", views.signin, name="signin"),
    path("signin/back/", views.back, name="signin-back"),
]
