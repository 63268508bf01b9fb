"""Console pages of people."""

from contacts.admin import channels, customers, staff, syncs, tags

__all__ = ["channels", "customers", "staff", "syncs", "tags"]
