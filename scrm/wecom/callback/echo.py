"""The platform's check of a callback address, as we ask it of our own (wecom-api.md §2.2)."""

import secrets
import time

from django.conf import settings

from scrm.wecom.callback.envelope import Envelope

PATH = "/wecom/callback/"
ANSWER_SECONDS = 1.0  # that the platform waits


def question() -> tuple[dict[str, str], bytes]:
    """(query of the GET, body that answers it), signed and encrypted with our settings.

    Raises ValueError for an AES key that is none.
    """
    envelope = Envelope.of(settings.WECOM_CALLBACK_TOKEN, settings.WECOM_CALLBACK_AES_KEY, settings.WECOM_CORP_ID)
    if len(envelope.aes_key) != 32:
        raise ValueError("an AES key of another length")
    echo = secrets.token_hex(8)
    timestamp, nonce, sealed = str(int(time.time())), secrets.token_hex(5), envelope.seal(echo.encode())
    signature = envelope.signature(timestamp, nonce, sealed)
    query = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": sealed}
    return query, echo.encode()
