"""The corp's tag library (wecom-api.md §6)."""

from scrm.wecom.client import client, listed
from scrm.wecom.schemas import TagGroupInfo, key, objects


def fetch_all() -> list[TagGroupInfo] | None:
    """Every group of corp tags with its tags. None: the answer names no list, which proves nothing of those we know."""
    answer = client().read("externalcontact/get_corp_tag_list", body={})
    if not listed(answer, "tag_group", api="externalcontact/get_corp_tag_list"):
        return None
    return [TagGroupInfo.from_wecom(row) for row in objects(answer, "tag_group") if key(row, "group_id")]
