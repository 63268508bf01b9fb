"""The console's menu and look (Unfold)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {"SITE_TITLE": _("Private-domain communities"), "SITE_HEADER": _("Private-domain communities")}
