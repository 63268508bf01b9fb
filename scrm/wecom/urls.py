"""Addresses that WeCom calls."""

from django.urls import path

from scrm.wecom.callback.views import callback

urlpatterns = [path("callback/", callback, name="callback")]
