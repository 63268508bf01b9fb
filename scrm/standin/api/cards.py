"""The form of template cards (wecom-api.md §15)."""

from __future__ import annotations

import re
from typing import Any

from scrm.standin.errors import Refusal

NOTICES = ("text_notice", "news_notice")
INTERACTIVE = ("button_interaction", "vote_interaction", "multiple_interaction")
MOST = {"horizontal_content_list": 6, "vertical_content_list": 4, "jump_list": 3, "button_list": 6}
TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")


def check_card(card: dict[str, Any]) -> None:
    """Refuse (40058) what lacks a required part or exceeds a list's limit."""
    kind = card.get("card_type")
    if kind not in (*NOTICES, *INTERACTIVE):
        raise Refusal(40058, "invalid template_card.card_type")
    for name, most in MOST.items():
        rows = card.get(name, [])
        if not isinstance(rows, list) or len(rows) > most:
            raise Refusal(40058, f"invalid template_card.{name}")
    if not _text(card, "main_title", "title") and not (kind == "text_notice" and card.get("sub_title_text")):
        raise Refusal(40058, "missing template_card.main_title.title")
    if kind in NOTICES:
        _check_target(card.get("card_action"), "card_action", (1, 2))
    for jump in card.get("jump_list", []):
        if not isinstance(jump, dict) or not jump.get("title"):
            raise Refusal(40058, "missing template_card.jump_list.title")
        _check_target(jump, "jump_list", (0, 1, 2))
    for row in card.get("horizontal_content_list", []):
        if not isinstance(row, dict) or not row.get("keyname"):
            raise Refusal(40058, "missing template_card.horizontal_content_list.keyname")
    task_id = card.get("task_id", "")
    if (task_id or kind in INTERACTIVE) and not (isinstance(task_id, str) and TASK_ID.fullmatch(task_id)):
        raise Refusal(40058, "invalid template_card.task_id")


def _text(card: dict[str, Any], part: str, name: str) -> str:
    inner = card.get(part)
    return str(inner.get(name) or "") if isinstance(inner, dict) else ""


def _check_target(action: object, name: str, kinds: tuple[int, ...]) -> None:
    """Where a tap leads: 1 an address, 2 a mini program, 0 nowhere."""
    if not isinstance(action, dict) or action.get("type", 0) not in kinds:
        raise Refusal(40058, f"invalid template_card.{name}.type")
    if action.get("type") == 1 and not re.match(r"https?://", str(action.get("url", ""))):
        raise Refusal(40058, f"invalid template_card.{name}.url")
    if action.get("type") == 2 and not action.get("appid"):
        raise Refusal(40058, f"missing template_card.{name}.appid")
