"""Web servers killed at named places: nothing acknowledged is missing."""

import subprocess
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from scrm.wecom.models import Callback
from tests import processes
from tests.corp import ADDRESS, Corp
from tests.faults import places

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

EVENTS = 24


def send(port: int, corp: Corp, number: int) -> bool:
    """One try of one event. True when it was acknowledged."""
    signed = corp.standin.callbacks.signed(
        f"<xml><CreateTime>1795000000</CreateTime><Event>change_external_contact</Event>"
        f"<ChangeType>edit_external_contact</ChangeType><UserID>wanglei</UserID>"
        f"<ExternalUserID>wm{number}</ExternalUserID></xml>".encode()
    )
    url = f"http://127.0.0.1:{port}{ADDRESS}?{urlencode(signed.query)}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=signed.body), timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def storm(corp: Corp, application: str, failpoint: str) -> set[str]:
    """Sends events to a web server that dies on the way. Returns the entities that it acknowledged.

    Its supervisor respawns a killed worker; here granian itself is asked not to, so that the death is final.
    """
    port = processes.free_port()
    acknowledged = set()
    with processes.process(processes.granian(port, application), {"FAILPOINT": failpoint}) as web:
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        for number in range(EVENTS):
            if send(port, corp, number):
                acknowledged.add(f"contact:wm{number}")
            elif web.poll() is not None:
                break
    return acknowledged


def stored() -> set[str]:
    return set(Callback.objects.values_list("entity", flat=True))


@pytest.mark.parametrize("place", places.INBOX)
def test_no_acknowledged_callback_is_missing(corp: Corp, place: str) -> None:
    acknowledged = storm(corp, "scrm.wsgi:application", f"{place}:9")

    assert 8 <= len(acknowledged) < EVENTS
    assert acknowledged <= stored()


def test_the_harness_catches_a_receiver_that_acknowledges_first(corp: Corp) -> None:
    acknowledged = storm(corp, "tests.faults.ack_first:application", "inbox.before_commit:9")

    assert acknowledged - stored()


def test_a_killed_process_dies_by_sigkill() -> None:
    """The fail-point is what the tests above rely on."""
    code = "import django; django.setup(); from scrm.base.failpoints import failpoint; failpoint('x'); failpoint('x')"
    import os
    import sys

    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "FAILPOINT": "x:2"}, check=False)

    assert done.returncode == -9
