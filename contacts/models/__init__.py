"""Tables of people."""

from contacts.models.channel import Channel
from contacts.models.customer import Customer
from contacts.models.follow import Follow, FollowEvidence
from contacts.models.link import OpenedLink
from contacts.models.listing import Listing
from contacts.models.notice import Notice
from contacts.models.staff import Department, Staff
from contacts.models.sync import SyncRun, SyncSeen, SyncStep
from contacts.models.tag import Tag, TagGroup

__all__ = [
    "Channel",
    "Customer",
    "Department",
    "Follow",
    "FollowEvidence",
    "Listing",
    "Notice",
    "OpenedLink",
    "Staff",
    "SyncRun",
    "SyncSeen",
    "SyncStep",
    "Tag",
    "TagGroup",
]
