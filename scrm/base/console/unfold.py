"""Unfold's classes under types that a checker knows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from django.contrib.admin import ModelAdmin as _ModelAdmin
    from django.contrib.admin import SimpleListFilter
    from django.contrib.admin import TabularInline as _TabularInline
    from django.contrib.admin.filters import FieldListFilter as RangeDateFilter
    from django.contrib.admin.views.main import ChangeList

    ModelAdmin = _ModelAdmin[Any]
    TabularInline = _TabularInline[Any, Any]
    DropdownFilter = SimpleListFilter
    TextFilter = SimpleListFilter
else:
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter
    from unfold.views import ChangeList

__all__ = ["ChangeList", "DropdownFilter", "ModelAdmin", "RangeDateFilter", "TabularInline", "TextFilter"]
