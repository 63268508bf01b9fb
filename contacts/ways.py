"""Contact ways that this app has made: which states are ours to change, and adopting them as channels."""

from collections.abc import Iterator
from dataclasses import dataclass

from contacts.models import Channel, Follow
from scrm.wecom.api import contact_ways
from scrm.wecom.app_schemas import ContactWayInfo

MOST_PAGES = 50  # of 100 codes; a platform that goes on beyond is not followed


@dataclass(frozen=True, slots=True)
class Survey:
    """`own`: how many codes this app can read. `foreign`: states that customers came with and no code of ours has."""

    own: int
    foreign: list[str]


def survey(*, most: int = 200) -> Survey:
    """Reads at most `most` codes, one call each. Errors: WecomError, ConfigurationError."""
    ids = list(_ids())
    states = {contact_ways.fetch(config_id).state for config_id in ids[:most]}
    came = Follow.objects.exclude(state="").order_by("state").values_list("state", flat=True).distinct()
    foreign = [] if len(ids) > most else [state for state in came if state not in states]
    return Survey(len(ids), foreign)


def adopt() -> int:
    """Makes a channel of each readable code that has a state and none yet, named by its remark. Returns how many.

    Writes only here: the code itself stays as it is. Errors: WecomError, ConfigurationError.
    """
    read = [contact_ways.fetch(config_id) for config_id in _ids()]
    known = set(Channel.objects.values_list("state", flat=True))
    new = {way.state: way for way in read if way.state and way.state not in known}
    made = Channel.objects.bulk_create(map(_channel, new.values()), ignore_conflicts=True)
    return len(made)


def _channel(way: ContactWayInfo) -> Channel:
    return Channel(state=way.state, name=(way.remark or way.state)[:60])


def _ids() -> Iterator[str]:
    cursor = ""
    for _page in range(MOST_PAGES):
        page = contact_ways.fetch_page(cursor)
        yield from page.config_ids
        cursor = page.next_cursor
        if not cursor:
            return
