"""The platform's integers in words; an unknown one is shown as it is."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# wecom-api.md §4, `add_way`
ADD_WAYS: dict[int, str | Promise] = {
    0: gettext_lazy("unknown"),
    1: gettext_lazy("scanned a code"),
    2: gettext_lazy("searched the phone number"),
    3: gettext_lazy("name card"),
    4: gettext_lazy("from a group chat"),
    5: gettext_lazy("phone contacts"),
    6: gettext_lazy("WeChat contact"),
    8: gettext_lazy("added with an installed app"),
    9: gettext_lazy("searched the mail address"),
    10: gettext_lazy("WeChat Channels"),
    11: gettext_lazy("calendar"),
    12: gettext_lazy("meeting"),
    13: gettext_lazy("WeCom of a WeChat friend"),
    14: gettext_lazy("smart hardware service"),
    15: gettext_lazy("door-to-door service"),
    16: gettext_lazy("acquisition link"),
    17: gettext_lazy("custom development"),
    18: gettext_lazy("answer to a request"),
    21: gettext_lazy("pre-sales service"),
    22: gettext_lazy("possible business partner"),
    24: gettext_lazy("accepted a friend request"),
    201: gettext_lazy("shared by a colleague"),
    202: gettext_lazy("assigned by an administrator"),
}
GENDERS: dict[int, str | Promise] = {1: gettext_lazy("male"), 2: gettext_lazy("female")}
CUSTOMER_TYPES: dict[int, str | Promise] = {1: gettext_lazy("WeChat user"), 2: gettext_lazy("WeCom user")}


def word(words: dict[int, str | Promise], value: int | None) -> str:
    """The word for `value`, the number itself for one that nobody knows, – for none."""
    if value is None:
        return "–"
    return str(words.get(value) or _("other (%(n)d)") % {"n": value})
