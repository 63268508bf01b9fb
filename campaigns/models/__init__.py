"""Tables of what we say."""

from campaigns.models.welcome import Welcome, WelcomeAttachment, WelcomeRule

__all__ = ["Welcome", "WelcomeAttachment", "WelcomeRule"]
