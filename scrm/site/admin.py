"""Registers the console pages that join rooms."""

from scrm.site.console import handposts, timeline, users

__all__ = ["handposts", "timeline", "users"]
