"""From which address somebody asks, also where proxies of ours stand before us."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The caller's address as text; None where nothing believable is known.

    Of `X-Forwarded-For` only the entries that our own TRUSTED_PROXIES wrote count: everything before them is said by the
    caller.
    """
    passed_on = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    proxies: int = settings.TRUSTED_PROXIES
    said = passed_on[-proxies] if proxies and len(passed_on) >= proxies else request.META.get("REMOTE_ADDR", "")
    try:
        found = ipaddress.ip_address(said)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def neighbourhood(address: str | None) -> str:
    """What one caller can't change at will: the address, with IPv6 the /64 that one line of a household or firm has."""
    if address is None or ":" not in address:
        return address or ""
    return str(ipaddress.ip_network((address, 64), strict=False))
