"""Whether we are let in, where the platform calls from, and what it says of our app (wecom-api.md §1)."""

from scrm.wecom.app_schemas import AppInfo
from scrm.wecom.client import client
from scrm.wecom.schemas import words


def prove_secret() -> None:
    """Corp id and secret, tried anew. Errors: ConfigurationError, WecomError; one that is remembered costs no call."""
    client().prove_secret()


def fetch_callback_ips() -> tuple[str, ...]:
    """Addresses that callbacks come from, single ones or patterns such as `101.226.103.*`; they change, ask daily."""
    return words(client().read("getcallbackip"), "ip_list")


def fetch_clock_ahead() -> float | None:
    """Seconds by which this machine's clock is ahead of the platform's; None where it doesn't say what time it is."""
    platform = client()
    platform.read("getcallbackip")
    return platform.clock_ahead


def fetch_app(agent_id: str) -> AppInfo:
    """The app as the platform's console has it. Errors: ConfigurationError for a number that is not this secret's."""
    return AppInfo.from_wecom(client().read("agent/get", {"agentid": agent_id}))
