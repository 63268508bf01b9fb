"""Console pages of people."""

from contacts.admin import channels, customers, notices, staff, syncs, tags

__all__ = ["channels", "customers", "notices", "staff", "syncs", "tags"]
