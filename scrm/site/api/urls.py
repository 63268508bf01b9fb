"""Addresses below `/api/v1/`. Ids of the platform are the keys in paths."""

from django.urls import path, re_path

from scrm.site.api.broadcasts import (
    Approve,
    Broadcasts,
    Cancel,
    Deliveries,
    OneBroadcast,
    Pause,
    Remind,
    Resume,
)
from scrm.site.api.callbacks import Callbacks, OneCallback, Replay
from scrm.site.api.channels import Channels
from scrm.site.api.customers import Customers, OneCustomer, Timeline
from scrm.site.api.docs import Docs, Schema
from scrm.site.api.group_chats import GroupChats, Members, OneGroupChat
from scrm.site.api.metrics import Dictionary, Funnels, Metrics
from scrm.site.api.staff import Departments, OneStaff, StaffList
from scrm.site.api.tags import Tags
from scrm.site.api.views import Nowhere
from scrm.site.api.welcomes import Welcomes

app_name = "api"

urlpatterns = [
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", Docs.as_view(url_name="api:schema"), name="docs"),
    path("customers/", Customers.as_view(), name="customers"),
    path("customers/<str:external_userid>/", OneCustomer.as_view(), name="customer"),
    path("customers/<str:external_userid>/timeline/", Timeline.as_view(), name="timeline"),
    path("staff/", StaffList.as_view(), name="staff"),
    path("staff/<str:userid>/", OneStaff.as_view(), name="one-staff"),
    path("departments/", Departments.as_view(), name="departments"),
    path("tags/", Tags.as_view(), name="tags"),
    path("group-chats/", GroupChats.as_view(), name="group-chats"),
    path("group-chats/<str:chat_id>/", OneGroupChat.as_view(), name="group-chat"),
    path("group-chats/<str:chat_id>/members/", Members.as_view(), name="members"),
    path("channels/", Channels.as_view(), name="channels"),
    path("welcomes/", Welcomes.as_view(), name="welcomes"),
    path("broadcasts/", Broadcasts.as_view(), name="broadcasts"),
    path("broadcasts/<int:pk>/", OneBroadcast.as_view(), name="broadcast"),
    path("broadcasts/<int:pk>/approve/", Approve.as_view(), name="approve"),
    path("broadcasts/<int:pk>/pause/", Pause.as_view(), name="pause"),
    path("broadcasts/<int:pk>/resume/", Resume.as_view(), name="resume"),
    path("broadcasts/<int:pk>/cancel/", Cancel.as_view(), name="cancel"),
    path("broadcasts/<int:pk>/remind/", Remind.as_view(), name="remind"),
    path("broadcasts/<int:pk>/deliveries/", Deliveries.as_view(), name="deliveries"),
    path("metrics/", Metrics.as_view(), name="metrics"),
    path("metrics/dictionary/", Dictionary.as_view(), name="dictionary"),
    path("funnels/", Funnels.as_view(), name="funnels"),
    path("callbacks/", Callbacks.as_view(), name="callbacks"),
    path("callbacks/<int:pk>/", OneCallback.as_view(), name="callback"),
    path("callbacks/<int:pk>/replay/", Replay.as_view(), name="replay"),
    re_path(r"^(?:.*/)?$", Nowhere.as_view(), name="nowhere"),
]
