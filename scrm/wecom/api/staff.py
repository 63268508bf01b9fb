"""Members of the address book, and who of them has customers (wecom-api.md §4.1)."""

from scrm.wecom.client import client, listed, told
from scrm.wecom.schemas import StaffInfo, key, keys, objects


def fetch_department(department_id: int) -> list[StaffInfo]:
    """The direct members of one department; whoever wants a tree asks for each department."""
    answer = client().read("user/list", {"department_id": department_id})
    listed(answer, "userlist", api="user/list")
    return [StaffInfo.from_wecom(row) for row in objects(answer, "userlist") if key(row, "userid")]


def fetch_one(userid: str, *, timeout: float | None = None) -> StaffInfo:
    """One member. Errors: WecomError, `gone` when the member left or is out of range."""
    answer = client().read("user/get", {"userid": userid}, timeout=timeout)
    told(answer, "userid", str, api="user/get")
    return StaffInfo.from_wecom(answer)


def fetch_follow_users() -> tuple[str, ...]:
    """Userids that have the customer-contact function, within the app's visible range."""
    answer = client().read("externalcontact/get_follow_user_list")
    listed(answer, "follow_user", api="externalcontact/get_follow_user_list")
    return keys(answer, "follow_user")
