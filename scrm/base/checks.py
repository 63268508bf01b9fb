"""System checks of the settings: each names the setting and the cure."""

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
_TOKEN = re.compile(r"[A-Za-z0-9]{1,32}")


@register()
def settings_are_complete(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """What every process needs; granian and celery refuse to start on the errors (see scrm.wsgi, scrm.celery)."""
    return [*_secrets(), *_wecom()]


def _secrets() -> list[CheckMessage]:
    try:
        found = bool(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's own way to say that it is empty
        found = False
    if found:
        return []
    hint = "Set SECRET_KEY (or SECRET_KEY_FILE) to 50 random characters; `make demo` makes its own."
    return [Error("SECRET_KEY is missing.", hint=hint, id="scrm.E001")]


def _wecom() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    page = "企微后台 > 应用管理 > 自建应用 > 接收消息 > 设置API接收"
    for name, where in (
        ("WECOM_CORP_ID", "企微后台 > 我的企业 > 企业信息 > 企业ID"),
        ("WECOM_SECRET", "企微后台 > 应用管理 > 自建应用 > Secret"),
        ("WECOM_CALLBACK_TOKEN", page),
        ("WECOM_CALLBACK_AES_KEY", page),
    ):
        if not getattr(settings, name):
            found.append(
                Warning(
                    f"{name} is missing: nothing of WeCom works yet.", hint=f"Copy it from {where}.", id="scrm.W001"
                )
            )
    if settings.WECOM_AGENT_ID and not re.fullmatch(r"[0-9]{1,12}", settings.WECOM_AGENT_ID):
        found.append(
            Error(
                "WECOM_AGENT_ID is malformed.",
                hint="It is a number; copy AgentId from 企微后台 > 应用管理 > 自建应用.",
                id="scrm.E006",
            )
        )
    if settings.WECOM_CALLBACK_AES_KEY and not _AES_KEY.fullmatch(settings.WECOM_CALLBACK_AES_KEY):
        found.append(
            Error(
                "WECOM_CALLBACK_AES_KEY is malformed.",
                hint=f"It is 43 letters and digits; copy EncodingAESKey from {page}.",
                id="scrm.E002",
            )
        )
    if settings.WECOM_CALLBACK_TOKEN and not _TOKEN.fullmatch(settings.WECOM_CALLBACK_TOKEN):
        found.append(
            Error(
                "WECOM_CALLBACK_TOKEN is malformed.",
                hint=f"It is 1 to 32 letters and digits; copy Token from {page}.",
                id="scrm.E003",
            )
        )
    if not re.fullmatch(r"https?://[^\s?#]+/cgi-bin/", settings.WECOM_API_URL):
        found.append(
            Error(
                "WECOM_API_URL is malformed.",
                hint="Write http(s)://host/cgi-bin/ with the slash at the end.",
                id="scrm.E004",
            )
        )
    for name in ("WECOM_OAUTH_URL", "WECOM_LOGIN_URL"):
        if not re.fullmatch(r"https?://[^\s?#]+/", getattr(settings, name)):
            hint = "Write http(s)://host/ with the slash at the end."
            found.append(Error(f"{name} is malformed.", hint=hint, id="scrm.E007"))
    if not re.fullmatch(r"https?://[^\s?#]+", settings.PUBLIC_URL):
        found.append(
            Error("PUBLIC_URL is malformed.", hint="Write for example https://scrm.example.com", id="scrm.E005")
        )
    return found


def refuse_to_start_on_errors() -> None:
    """For the processes that Django's own commands don't start: raises SystemExit with all errors."""
    errors = [message for message in settings_are_complete(None) if isinstance(message, Error)]
    if errors:
        raise SystemExit("\n".join(f"{error.msg} {error.hint}" for error in errors))
