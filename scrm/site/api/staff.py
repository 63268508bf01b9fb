"""`staff/` and `departments/`."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Department, Follow, Staff
from contacts.querysets import DepartmentQuerySet, StaffQuerySet
from scrm.site.api import examples
from scrm.site.api.views import ApiView, ListView, Query, found


@dataclass(frozen=True)
class StaffRow:
    member: Staff
    customers: int


class StaffShape(serializers.Serializer[StaffRow]):
    userid = serializers.CharField(source="member.userid")
    name = serializers.CharField(source="member.name")
    departments = serializers.ListField(source="member.department_ids", child=serializers.IntegerField())
    status = serializers.IntegerField(
        source="member.status", help_text="The platform's: 1 active, 2 disabled, 4, 5 left."
    )
    customers = serializers.IntegerField(help_text="Persons with an open period with this staff member.")
    serves_customers = serializers.BooleanField(
        source="member.serves_customers", help_text="Has the customer-contact function."
    )
    left_at = serializers.DateTimeField(source="member.left_at", allow_null=True)


class StaffQuery(Query):
    department = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Department id; its sub-departments are included."
    )
    present = serializers.BooleanField(required=False, help_text="`true`: not left, `false`: left.")


@extend_schema(tags=["staff"], summary="List of staff", responses=StaffShape(many=True), examples=[examples.STAFF])
class StaffList(ListView[Staff]):
    query_class = StaffQuery
    serializer_class = StaffShape

    def rows(self) -> StaffQuerySet:
        staff = Staff.objects.visible_to(self.user)
        if "present" in self.asked:
            staff = staff.filter(left_at__isnull=self.asked["present"])
        if "department" in self.asked:
            below = Department.objects.filter(path__contains=[self.asked["department"]]).values_list("pk", flat=True)
            staff = staff.filter(department_ids__overlap=[*below, self.asked["department"]])
        return staff

    def prepare(self, page: list[Staff]) -> Sequence[StaffRow]:
        return staff_rows(page)


@extend_schema(tags=["staff"], summary="One staff member", responses=StaffShape, examples=[examples.STAFF])
class OneStaff(ApiView):
    serializer_class = StaffShape

    def get(self, request: Request, userid: str) -> Response:
        member = found(Staff.objects.visible_to(self.user), userid=userid)
        return Response(StaffShape(staff_rows([member])[0]).data)


def staff_rows(page: Sequence[Staff]) -> list[StaffRow]:
    """With the numbers of customers, in one query."""
    counts = Follow.objects.open().filter(staff__in=page).values_list("staff_id").annotate(Count("pk"))
    customers = dict(counts.order_by())
    return [StaffRow(member, customers.get(member.pk, 0)) for member in page]


class DepartmentShape(serializers.Serializer[Department]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    parent_id = serializers.IntegerField(help_text="0 at the top.")


@extend_schema(tags=["staff"], summary="List of departments", responses=DepartmentShape(many=True))
class Departments(ListView[Department]):
    serializer_class = DepartmentShape

    def rows(self) -> DepartmentQuerySet:
        return Department.objects.visible_to(self.user).present()
