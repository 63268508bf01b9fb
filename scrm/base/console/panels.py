"""Panels, filters and actions that a higher room adds to a lower room's page: it registers them in its admin module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

Build = Callable[[HttpRequest, Any], Mapping[str, Any] | None]
Action = Callable[[Any, HttpRequest, Any], Any]  # page, request, chosen rows


@dataclass(frozen=True)
class Panel:
    """A section of a detail page: a template, and what fills it (None: the panel stays out)."""

    template: str
    build: Build
    order: int


_panels: dict[str, list[Panel]] = {}
_filters: dict[str, list[Any]] = {}
_actions: dict[str, list[tuple[Action, str]]] = {}


def add_panel(page: str, template: str, build: Build, *, order: int = 50) -> None:
    """Shows `template` on the detail pages of `page` (`app.Model`)."""
    _panels.setdefault(page, []).append(Panel(template, build, order))


def panels_of(page: str, request: HttpRequest, instance: Any) -> list[dict[str, Any]]:
    """The filled panels of `instance`, in order: `{"template": …, **context}`."""
    found = []
    for panel in sorted(_panels.get(page, []), key=lambda item: item.order):
        context = panel.build(request, instance)
        if context is not None:
            found.append({"template": panel.template, **context})
    return found


def add_filter(page: str, list_filter: Any) -> None:
    """Adds a filter to the list of `page` (`app.Model`)."""
    _filters.setdefault(page, []).append(list_filter)


def filters_of(page: str) -> list[Any]:
    """Filters that higher rooms added."""
    return list(_filters.get(page, []))


def add_action(page: str, action: Action, *, right: str) -> None:
    """Adds a deed for chosen rows to the list of `page` (`app.Model`), for users with the permission `right`."""
    _actions.setdefault(page, []).append((action, right))


def actions_of(page: str, request: HttpRequest) -> list[Action]:
    """Actions that higher rooms added and this user may do."""
    return [action for action, right in _actions.get(page, []) if request.user.has_perm(right)]
