"""Registers the console pages that join rooms."""

from scrm.site.console import handposts, staff, timeline, users, work_words

__all__ = ["handposts", "staff", "timeline", "users", "work_words"]
