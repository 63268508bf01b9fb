"""What an app message may say to staff, checked before anybody is called (wecom-api.md §15: lengths in UTF-8 bytes)."""

from dataclasses import dataclass
from typing import Any

TITLE, DESCRIPTION, ADDRESS = 128, 512, 2048
BUTTON_CHARACTERS = 4
ROWS = 6


class BadCard(ValueError):
    """A card that the platform would refuse; the text names the part."""


@dataclass(frozen=True, slots=True)
class TextCard:
    """Title, description, and a tap that opens `url`. Raises BadCard when made of anything too long or empty."""

    title: str
    description: str
    url: str
    button: str = ""

    msgtype = "textcard"

    def __post_init__(self) -> None:
        _check("title", self.title, TITLE)
        _check("description", self.description, DESCRIPTION)
        _check_address(self.url)
        if len(self.button) > BUTTON_CHARACTERS:
            raise BadCard(f"button: {len(self.button)} characters, {BUTTON_CHARACTERS} are the most")

    def to_wecom(self) -> dict[str, Any]:
        button = {"btntxt": self.button} if self.button else {}
        return {"title": self.title, "description": self.description, "url": self.url, **button}


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """A notice with `rows` of name and value below its title; a tap opens `url`. Raises BadCard as TextCard does.

    The platform gives no lengths for this kind (§15): those of the text card bind here too.
    """

    title: str
    description: str
    url: str
    rows: tuple[tuple[str, str], ...] = ()

    msgtype = "template_card"

    def __post_init__(self) -> None:
        _check("title", self.title, TITLE)
        _check("description", self.description, DESCRIPTION, required=False)
        _check_address(self.url)
        if len(self.rows) > ROWS:
            raise BadCard(f"rows: {len(self.rows)}, {ROWS} are the most")
        for name, value in self.rows:
            _check("row", name, TITLE)
            _check("row", value, TITLE, required=False)

    def to_wecom(self) -> dict[str, Any]:
        return {
            "card_type": "text_notice",
            "main_title": {"title": self.title, "desc": self.description},
            "horizontal_content_list": [{"keyname": name, "value": value} for name, value in self.rows],
            "card_action": {"type": 1, "url": self.url},
        }


def _check(part: str, text: str, most: int, *, required: bool = True) -> None:
    size = len(text.encode())
    if size > most:
        raise BadCard(f"{part}: {size} bytes, {most} are the most")
    if required and not text.strip():
        raise BadCard(f"{part} is empty")


def _check_address(url: str) -> None:
    _check("url", url, ADDRESS)
    if not url.startswith(("https://", "http://")):
        raise BadCard("url: no address of the web")
