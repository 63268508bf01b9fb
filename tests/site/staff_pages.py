"""Our addresses with one page of staff more, behind the guard, for tests of the guard alone."""

from django.http import HttpResponse
from django.urls import include, path

from scrm.site.h5.guard import staff_required
from scrm.site.h5.session import StaffRequest


@staff_required
def tasks(request: StaffRequest) -> HttpResponse:
    """Says whose page it is."""
    return HttpResponse(f"{request.method} {request.staff.userid}")


urlpatterns = [path("h5/tasks/", tasks), path("", include("scrm.urls"))]
