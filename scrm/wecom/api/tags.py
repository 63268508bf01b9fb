"""The corp's tag library (wecom-api.md §6)."""

from scrm.wecom.client import client, told
from scrm.wecom.schemas import TagGroupInfo, key, objects


def fetch_all() -> list[TagGroupInfo]:
    """Every group of corp tags with its tags."""
    answer = client().read("externalcontact/get_corp_tag_list", body={})
    told(answer, "tag_group", list, api="externalcontact/get_corp_tag_list")
    return [TagGroupInfo.from_wecom(row) for row in objects(answer, "tag_group") if key(row, "group_id")]
