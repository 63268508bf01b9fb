"""The log as a story: who came, who went."""

from django.utils.translation import gettext as _

from contacts.follows import Change
from contacts.models import Channel, Customer, Follow
from scrm.base.logs import story


def tell(customer: Customer, changes: list[Change]) -> None:
    """One line for each period that began or ended."""
    for change in changes:
        for row in change.began:
            story.info(_began(customer, row))
        for row in change.ended:
            if row.ended_by:
                story.info(_ended(customer, row))


def _began(customer: Customer, row: Follow) -> str:
    channel = Channel.objects.filter(state=row.state).values_list("name", flat=True).first() if row.state else None
    source = channel or row.state or _("unknown source")
    names = {"customer": name_of(customer), "staff": row.staff, "source": source}
    return _("➕ %(customer)s added %(staff)s (%(source)s)") % names


def name_of(customer: Customer) -> str:
    """The name, or the end of the id of somebody who has not been read yet."""
    return customer.name or _("new customer …%s") % customer.external_userid[-5:]


def _ended(customer: Customer, row: Follow) -> str:
    names = {"customer": name_of(customer), "staff": row.staff}
    if row.ended_by == Follow.EndedBy.CUSTOMER:
        return _("➖ %(customer)s deleted %(staff)s") % names
    if row.ended_by == Follow.EndedBy.STAFF:
        return _("➖ %(staff)s deleted %(customer)s") % names
    return _("↪ %(customer)s left %(staff)s by hand-over") % names
