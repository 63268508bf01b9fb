"""Where the platform calls from (wecom-api.md §1.2)."""

from scrm.wecom.client import client
from scrm.wecom.schemas import words


def fetch_callback_ips() -> tuple[str, ...]:
    """Addresses that callbacks come from, single ones or patterns such as `101.226.103.*`; they change, ask daily."""
    return words(client().read("getcallbackip"), "ip_list")
