"""Departments of the address book (wecom-api.md §4.1)."""

from scrm.wecom.client import client, listed
from scrm.wecom.schemas import DepartmentInfo, objects


def fetch_all() -> list[DepartmentInfo]:
    """Every department in the app's visible range. Errors: WecomError."""
    answer = client().read("department/list")
    listed(answer, "department", api="department/list")
    return [DepartmentInfo.from_wecom(row) for row in objects(answer, "department")]
