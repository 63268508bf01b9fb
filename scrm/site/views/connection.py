"""The page that brings a real corp onto the console: every check with its last finding, tried at the press of a button.

A press tries one check and answers with its row; trying all is one press after another, driven by the page, so that it
works while no worker does. For administrators.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from contacts import ways
from scrm.base import audit
from scrm.base.console.who import user_of
from scrm.site import doctor, proofs
from scrm.site.console.frame import administrators_page, show
from scrm.site.doctor import places, web
from scrm.site.doctor.run import in_order
from scrm.site.models import DomainProof, Finding
from scrm.wecom.callback import echo
from scrm.wecom.errors import ConfigurationError, WecomError

PAGE = "connection:page"
MOST_PROOF_BYTES = 1024


@require_GET
@administrators_page
def page(request: HttpRequest) -> HttpResponse:
    """The checks by part, values to copy, proof files, codes to adopt, and what the brake does."""
    found = _findings()
    rows = [_row(check, found.get(check.name)) for check in in_order()]
    parts = [
        {"title": title, "rows": [row for row in rows if row["check"].part == part]}
        for part, title in doctor.PARTS.items()
    ]
    context = {
        "parts": parts,
        "first": rows[0]["check"].name,
        "values": _values(),
        "proofs": DomainProof.objects.select_related("kept_by"),
        "allowlist": sorted(settings.SENDING_ALLOWLIST),
        **_summary(found),
    }
    return show(request, "console/connection/page.html", _("Connection guide"), context)


@require_POST
@administrators_page
def try_check(request: HttpRequest, name: str) -> HttpResponse:
    """Tries one check and answers with its row; with `all` the row goes on to the next by itself."""
    if name not in doctor.checks:
        raise Http404
    whole = bool(request.POST.get("all"))
    for _tried in doctor.examine([name], user=user_of(request)):
        if not whole or name == in_order()[0].name:  # one record for a run through everything
            subject = "*" if whole else name
            audit.record("connection.check", user=user_of(request), subject=subject, request=request)
    if "HX-Request" not in request.headers:
        return redirect(PAGE)
    found = _findings()
    context = {"row": _row(doctor.checks[name], found[name]), "swapped": True, **_summary(found)}
    if whole:
        context["next"] = _next(name)
    return render(request, "console/connection/check.html", context)


@require_POST
@administrators_page
def keep_proof(request: HttpRequest) -> HttpResponse:
    """A file as WeCom offers it, uploaded or typed in; served at once under our addresses."""
    upload = request.FILES.get("file")
    name, content = request.POST.get("name", ""), request.POST.get("content", "")
    if upload is not None:
        name, content = upload.name or "", upload.read(MOST_PROOF_BYTES).decode("ascii", "replace")
    try:
        proof = proofs.keep(name, content, user=user_of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(PAGE)
    audit.record("domain_proof.keep", user=user_of(request), subject=proof.name, request=request)
    words = _("%(name)s is served now: press the button for it in WeCom's console, then try the check here.")
    messages.success(request, words % {"name": proof.name})
    return redirect(PAGE)


@require_POST
@administrators_page
def drop_proof(request: HttpRequest, number: int) -> HttpResponse:
    """A file that is not needed any more."""
    proof = DomainProof.objects.filter(pk=number).first()
    if proof is not None:
        proof.delete()
        audit.record("domain_proof.drop", user=user_of(request), subject=proof.name, request=request)
        messages.success(request, _("%(name)s is no longer served.") % {"name": proof.name})
    return redirect(PAGE)


@require_POST
@administrators_page
def adopt_codes(request: HttpRequest) -> HttpResponse:
    """Channels for the codes that this app has made before; the codes stay as they are."""
    try:
        count = ways.adopt()
    except (ConfigurationError, WecomError) as error:
        messages.error(request, _("The codes could not be read: %(why)s.") % {"why": error.message})
        return redirect(PAGE)
    audit.record("channel.adopt", user=user_of(request), request=request, count=count)
    words = ngettext(
        "%(n)d channel was made of an existing code.", "%(n)d channels were made of existing codes.", count
    )
    messages.success(request, words % {"n": count} if count else _("Every readable code has its channel already."))
    return redirect(PAGE)


def _findings() -> dict[str, Finding]:
    return {finding.name: finding for finding in Finding.objects.select_related("tried_by")}


_KINDS = {"ok": "ok", "warning": "warn", "failed": "bad"}
_ICONS = {"ok": "check_circle", "warning": "error", "failed": "cancel"}


def _row(check: doctor.Check, finding: Finding | None) -> dict[str, Any]:
    state = finding.state if finding else ""
    return {
        "check": check,
        "finding": finding,
        "kind": _KINDS.get(state, ""),
        "icon": _ICONS.get(state, "help" if finding else "radio_button_unchecked"),
        "place": finding.place if finding and state != Finding.State.OK else "" if finding else check.place,
    }


def _summary(found: dict[str, Finding]) -> dict[str, Any]:
    """How many are in order, and how many are not."""
    states = [found[name].state if name in found else "" for name in doctor.checks]
    return {
        "all": len(states),
        "fine": states.count(Finding.State.OK),
        "red": states.count(Finding.State.FAILED),
        "yellow": states.count(Finding.State.WARNING),
        "last_tried": max((finding.tried_at for finding in found.values()), default=None),
    }


def _next(name: str) -> str:
    """The check after this one; empty after the last."""
    names = [check.name for check in in_order()]
    place = names.index(name) + 1
    return names[place] if place < len(names) else ""


def _values() -> list[tuple[str, str, str]]:
    """What has to be copied into WeCom's console: (what, value, where)."""
    host = web.host(settings.PUBLIC_URL)
    return [
        (_("Callback address"), web.public(echo.PATH), places.CALLBACK),
        (_("Trusted domain"), host, places.TRUSTED_DOMAIN),
        (_("Domain of sign-in by WeCom"), host, f"{places.APP} > 企业微信授权登录 > 授权回调域"),
    ]
