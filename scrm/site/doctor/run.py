"""Trying the checks one after another, and keeping what was found."""

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from scrm.base import redis
from scrm.base.models import User
from scrm.site.doctor import places
from scrm.site.doctor.registry import PARTS, Check, Result, checks, failed, skipped, unknown
from scrm.site.models import Finding
from scrm.wecom import errors
from scrm.wecom.errors import ConfigurationError, Paused, Unreachable, WecomError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """One check with its result and the milliseconds it took."""

    check: Check
    result: Result
    milliseconds: int


def in_order() -> list[Check]:
    """All checks, part by part."""
    parts = list(PARTS)
    return sorted(checks.values(), key=lambda item: parts.index(item.part))


def examine(names: Collection[str] | None = None, *, user: User | None = None) -> Iterator[Tried]:
    """Tries the named checks (default: all) in turn. Each is kept as the last finding, in the name of `user`.

    Where the platform does not answer, or refused the secret, the checks that would ask it are not tried: guessing on
    would get our address banned (wecom-api.md §1.1).
    """
    blocked = ""
    for check in in_order():
        if names is not None and check.name not in names:
            continue
        begun = time.monotonic()
        result = skipped(blocked) if blocked and check.asks_platform else attempt(check)
        if result.blocks and not blocked:
            blocked = _("Not tried, because an earlier check failed: %(check)s.") % {"check": check.title}
        tried = Tried(check, result, round((time.monotonic() - begun) * 1000))
        _keep(tried, user)
        yield tried


def attempt(check: Check) -> Result:
    """One trial; whatever goes wrong in it is a result."""
    try:
        return check.attempt()
    except (WecomError, ConfigurationError) as error:
        return of_error(error)
    except redis.Away:
        return unknown(_("Redis does not answer."))
    except (DatabaseError, InterfaceError):
        connection.close()
        return failed(_("The database does not answer, or its tables are missing (DATABASE_URL, manage.py migrate)."))
    except Exception as error:  # the other checks still have something to say
        log.exception("A check broke.", check=check.name)
        return failed(
            _("The check itself broke: %(error)s. The log has the details.") % {"error": type(error).__name__}
        )


def of_error(error: WecomError | ConfigurationError) -> Result:
    """What a refusal, or no answer, means for any check."""
    if isinstance(error, ConfigurationError) and error.setting and error.code is None:
        return skipped(_("Not tried: %(reason)s.") % {"reason": error.message}, blocks=True)
    if isinstance(error, Paused):
        return unknown(_("%(api)s was not asked: %(reason)s.") % {"api": error.api, "reason": error.message})
    if isinstance(error, Unreachable):
        words = _("Asked %(api)s: %(reason)s.") % {"api": error.api, "reason": error.message}
        if not error.connected:
            words += _(" This server must reach qyapi.weixin.qq.com (WECOM_API_URL) by HTTPS.")
        return failed(words, blocks=not error.connected or error.api == "gettoken")
    if error.api == "gettoken":
        words = _("Not tried: WeCom gives no access token (%(reason)s).") % {"reason": error.message}
        return skipped(words, blocks=True)
    words = _("Asked %(api)s, and WeCom refused: %(reason)s.") % {"api": error.api, "reason": error.message}
    if error.code == errors.ADDRESS_REFUSED and isinstance(error, ConfigurationError) and error.address:
        words += _(" Our address as WeCom sees it: %(address)s.") % {"address": error.address}
    return failed(words, places.of_code(error.code), error.code)


def _keep(tried: Tried, user: User | None) -> None:
    """The finding outlives the page; a database that is away has been found already."""
    result = tried.result
    with suppress(DatabaseError, InterfaceError):
        Finding.objects.update_or_create(
            name=tried.check.name,
            defaults={
                "state": result.state,
                "words": result.words,
                "place": result.place,
                "code": result.code,
                "milliseconds": tried.milliseconds,
                "tried_at": Now(),
                "tried_by": user,
            },
        )
