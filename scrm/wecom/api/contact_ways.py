"""Contact ways (渠道活码): those that this app has made; others can't be read (wecom-api.md §7.1, platform.md 22)."""

from scrm.wecom.app_schemas import ContactWayInfo, ContactWayPage
from scrm.wecom.client import client
from scrm.wecom.schemas import inner, objects, text


def fetch_page(cursor: str = "", limit: int = 100) -> ContactWayPage:
    """A page of config ids."""
    answer = client().read("externalcontact/list_contact_way", body={"cursor": cursor, "limit": limit})
    ids = tuple(text(row, "config_id") for row in objects(answer, "contact_way"))
    return ContactWayPage(ids, text(answer, "next_cursor"))


def fetch(config_id: str) -> ContactWayInfo:
    """One contact way. Errors: WecomError for one that is gone, or another app's."""
    answer = client().read("externalcontact/get_contact_way", body={"config_id": config_id})
    return ContactWayInfo.from_wecom(inner(answer, "contact_way"))
