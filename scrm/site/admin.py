"""Registers the console pages that join rooms."""

from scrm.site.console import timeline, users

__all__ = ["timeline", "users"]
