"""What the events about people prove."""

from contacts.models import Customer, Follow, FollowEvidence, Staff
from scrm.wecom.callback.events import Event

Kind = FollowEvidence.Kind
EndedBy = Follow.EndedBy

BEGINS = {"add_external_contact": Kind.ADDED, "add_half_external_contact": Kind.HALF_ADDED}
ENDS = {"del_follow_user": EndedBy.CUSTOMER, "del_external_contact": EndedBy.STAFF}
BY_TRANSFER = "DELETE_BY_TRANSFER"  # Source of del_external_contact, wecom-api.md §3.1


def follow_evidence(event: Event, *, staff: Staff, customer: Customer, callback_id: int) -> FollowEvidence | None:
    """The evidence in an event, None for those that only ask to read again (edits, failed transfers)."""
    if event.happened_at is None:
        return None
    evidence = FollowEvidence(staff=staff, customer=customer, at=event.happened_at, callback_id=callback_id)
    if event.change_type in BEGINS:
        evidence.kind = BEGINS[event.change_type]
        evidence.state = event.text("State")[:128]
        return evidence
    if event.change_type in ENDS:
        evidence.kind = Kind.ENDED
        transferred = event.text("Source") == BY_TRANSFER
        evidence.ended_by = EndedBy.TRANSFER if transferred else ENDS[event.change_type]
        return evidence
    return None
