"""What every console page knows: the brake."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def console(request: HttpRequest) -> dict[str, Any]:
    """`sending`: off | allowlist | on."""
    return {"sending": settings.SENDING}
