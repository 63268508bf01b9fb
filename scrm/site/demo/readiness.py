"""Is the demo ready: asks the web server as anybody would."""

import time
import urllib.error
import urllib.request
from typing import Final

PAUSE_SECONDS: Final = 0.4


class Readiness:
    """Asks /readyz not more often than every PAUSE_SECONDS; never through a proxy. `said` is what it last answered."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/readyz"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.next = 0.0
        self.said = "nothing answers"

    def ready(self) -> bool:
        if time.monotonic() < self.next:
            return False
        self.next = time.monotonic() + PAUSE_SECONDS
        try:
            with self.opener.open(self.url, timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refusal:
            self.said = f"/readyz answers {refusal.code} {refusal.read(300).decode(errors='replace')}"
        except (OSError, ValueError) as error:
            self.said = f"the web server does not answer ({error})"
        return False
