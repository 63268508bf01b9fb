"""Logs: a constant sentence plus key=value. The logger `story` tells in plain words what happens to customers."""

import logging
import re
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
]


# What lets somebody in while it is young: the platform's sign-in codes, keys of signed links, access tokens.
_KEYS_IN_ADDRESSES = re.compile(r"([?&](?:code|k|access_token|corpsecret)=)[^&\s'\"]+")


def without_keys(_logger: Any, _method: str, line: Any) -> Any:
    """A processor that blots out keys in the addresses that a line holds."""
    return {
        name: _KEYS_IN_ADDRESSES.sub(r"\1…", text) if isinstance(text, str) else text for name, text in line.items()
    }


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders our own lines and those of libraries alike."""

    def __init__(self, **_: Any) -> None:
        super().__init__(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                without_keys,
                # plain: a richer traceback would print local variables, tokens among them
                structlog.dev.ConsoleRenderer(
                    colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
                ),
            ],
        )


def configure() -> None:
    """Routes structlog through the standard library, once per process."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


story = logging.getLogger("story")
