"""The console's pages of what we say: welcomes and broadcasts."""

from campaigns.admin import broadcasts, panels, welcome

__all__ = ["broadcasts", "panels", "welcome"]
