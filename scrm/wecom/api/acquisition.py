"""Acquisition links (获客助手): what is left of their quota (wecom-api.md §7.2)."""

from scrm.wecom.client import client
from scrm.wecom.schemas import number


def fetch_quota() -> tuple[int, int]:
    """(bought, left) friendships. Errors: ConfigurationError where the corp or the app may not use them."""
    answer = client().read("externalcontact/customer_acquisition_quota")
    return number(answer, "total"), number(answer, "balance")
