"""The receiver that the harness must catch: it acknowledges first and stores afterwards."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from scrm.wsgi import application as _real

StartResponse = Callable[..., Any]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answers 200 at once, hands the request to the real receiver in a thread."""
    if environ["PATH_INFO"] != "/wecom/callback/" or environ["REQUEST_METHOD"] != "POST":
        return _real(environ, start_response)
    import io

    body = environ["wsgi.input"].read()
    copy = {**environ, "wsgi.input": io.BytesIO(body)}

    def later() -> None:
        import time

        time.sleep(0.05)
        _real(copy, lambda *_: lambda _body: None)

    threading.Thread(target=later, daemon=True).start()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"success"]
