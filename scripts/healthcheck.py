"""Health check of the web server's container: exit 0 when /readyz says 200, else 1 with the reason.

Asks under the name of PUBLIC_URL, the one that ALLOWED_HOSTS must hold in any case. Standard library only.
"""

import os
import sys
import urllib.request
from urllib.parse import urlsplit

PORT = os.environ.get("PORT", "8000")


def main() -> None:
    host = urlsplit(os.environ.get("PUBLIC_URL", "")).netloc or f"127.0.0.1:{PORT}"
    question = urllib.request.Request(f"http://127.0.0.1:{PORT}/readyz", headers={"Host": host})
    try:
        with urllib.request.urlopen(question, timeout=5):  # noqa: S310  our own
            return
    except OSError as error:
        sys.exit(f"not ready: {error}")


if __name__ == "__main__":
    main()
