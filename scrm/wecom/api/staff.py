"""Members of the address book, and who of them has customers (wecom-api.md §4.1)."""

from scrm.wecom.client import client
from scrm.wecom.schemas import StaffInfo, objects, words


def fetch_department(department_id: int) -> list[StaffInfo]:
    """The direct members of one department; whoever wants a tree asks for each department."""
    answer = client().read("user/list", {"department_id": department_id})
    return [StaffInfo.from_wecom(row) for row in objects(answer, "userlist")]


def fetch_one(userid: str, *, timeout: float | None = None) -> StaffInfo:
    """One member. Errors: WecomError, `gone` when the member left or is out of range."""
    return StaffInfo.from_wecom(client().read("user/get", {"userid": userid}, timeout=timeout))


def fetch_follow_users() -> tuple[str, ...]:
    """Userids that have the customer-contact function, within the app's visible range."""
    return words(client().read("externalcontact/get_follow_user_list"), "follow_user")
