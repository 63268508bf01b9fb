"""Registers the console pages that join rooms."""

from scrm.site.console import staff, timeline, users, work_words

__all__ = ["staff", "timeline", "users", "work_words"]
