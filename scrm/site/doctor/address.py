"""Our own address: whether the outside, and so WeCom, reaches us under it."""

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scrm.base.console import formats
from scrm.site import proofs
from scrm.site.doctor import places, web
from scrm.site.doctor.registry import Result, check, failed, fine, skipped, unknown, warning
from scrm.wecom.api import access
from scrm.wecom.callback import counters, echo
from scrm.wecom.models import Callback

FILING = gettext_lazy(
    "WeCom and browsers in China only reach a domain that is filed (备案), and WeCom accepts it only when the filing"
    " belongs to the same or a related company."
)


@check("public_url", part="address", title=gettext_lazy("Public address"))
def public_url() -> Result:
    """Reached at all, and by HTTPS."""
    address = settings.PUBLIC_URL
    if not web.on_trial() and web.is_local(address):
        return failed(
            _("PUBLIC_URL is %(url)s: an address of this machine, which WeCom can't reach.") % {"url": address}
        )
    if not web.on_trial() and not address.startswith("https://"):
        return failed(
            _("PUBLIC_URL is %(url)s: without HTTPS neither sign-in nor pages in WeCom work.") % {"url": address}
        )
    try:
        page = web.fetch(web.public("healthz"))
    except web.NoAnswer as trouble:
        return failed(_("Fetched %(url)s: %(why)s.") % {"url": web.public("healthz"), "why": trouble})
    if (page.status, page.body) != (200, b"ok"):
        return failed(_other_page(web.public("healthz"), page))
    return fine(_("Our pages answer under %(url)s.") % {"url": address})


@check(
    "trusted_domain",
    part="address",
    title=gettext_lazy("Trusted domain"),
    place=places.TRUSTED_DOMAIN,
    asks_platform=True,
)
def trusted_domain() -> Result:
    """What the app has, against what we are called under."""
    if not settings.WECOM_AGENT_ID:
        return skipped(_("Not tried: WECOM_AGENT_ID is empty."))
    ours = [web.host(address) for address in (settings.PUBLIC_URL, *settings.H5_URLS)]
    domain = access.fetch_app(settings.WECOM_AGENT_ID).domain
    if domain is None:
        return unknown(_("WeCom does not say which domain is trusted."), places.TRUSTED_DOMAIN)
    if not domain:
        words = _(
            "Read the app: it has no trusted domain, so sign-in and pages inside WeCom do not work. Enter %(host)s."
        )
        return failed(words % {"host": ours[0]}, places.TRUSTED_DOMAIN)
    if web.host(f"//{domain.partition('://')[2] or domain}") not in ours:
        words = _(
            "Read the app: its trusted domain is %(domain)s, ours is %(host)s (with the port, where there is one)."
        )
        return failed(words % {"domain": domain, "host": ours[0]}, places.TRUSTED_DOMAIN, 50001)
    return fine(_("The app trusts %(domain)s.") % {"domain": domain})


@check("domain_proof", part="address", title=gettext_lazy("Proof file of the domain"), place=places.PROOF)
def domain_proof() -> Result:
    """Each proof that we keep, fetched from outside."""
    kept = proofs.all_of_them()
    if not kept:
        words = _(
            "There is no proof file. WeCom offers one (WW_verify_….txt) when a trusted domain is entered: upload it on"
            " this page."
        )
        return warning(words, places.PROOF)
    for name, content in kept.items():
        url = web.public(name)
        try:
            page = web.fetch(url)
        except web.NoAnswer as trouble:
            return failed(_("Fetched %(url)s: %(why)s.") % {"url": url, "why": trouble}, places.PROOF)
        if page.status != 200 or page.body.strip() != content.encode():
            return failed(_other_page(url, page), places.PROOF)
    return fine(_("Fetched from outside and right: %(names)s.") % {"names": "、".join(kept)})


@check("callback", part="address", title=gettext_lazy("Callback address"), place=places.CALLBACK)
def callback() -> Result:
    """The platform's own check of the address, asked by us from outside."""
    url = web.public(echo.PATH)
    if not (settings.WECOM_CALLBACK_TOKEN and settings.WECOM_CALLBACK_AES_KEY and settings.WECOM_CORP_ID):
        words = _("WECOM_CALLBACK_TOKEN, WECOM_CALLBACK_AES_KEY or WECOM_CORP_ID is empty: no event can be read.")
        return failed(words, places.CALLBACK)
    try:
        query, expected = echo.question()
    except ValueError:
        words = _("WECOM_CALLBACK_AES_KEY is no EncodingAESKey: that has 43 letters and digits.")
        return failed(words, places.CALLBACK)
    try:
        page = web.fetch(url, query)
    except web.NoAnswer as trouble:
        words = _("Asked %(url)s as WeCom does when the address is saved: %(why)s.") % {"url": url, "why": trouble}
        return failed(f"{words} {FILING}", places.CALLBACK)
    if page.status == 400 and page.body == b"bad request":
        words = _(
            "Asked %(url)s as WeCom does: the web process refused the signature. It runs with another token, AES key or"
            " corp id than this process: restart all with the same settings."
        )
        return failed(words % {"url": url}, places.CALLBACK)
    if (page.status, page.body) != (200, expected):
        return failed(f"{_other_page(url, page)} {FILING}", places.CALLBACK)
    if page.seconds > echo.ANSWER_SECONDS:
        words = _("%(url)s answered WeCom's question rightly, but after %(n).1f s; WeCom waits one.")
        return warning(words % {"url": url, "n": page.seconds}, places.CALLBACK)
    return fine(_("%(url)s answers WeCom's question rightly in %(n)d ms.") % {"url": url, "n": page.seconds * 1000})


@check("events", part="address", title=gettext_lazy("Events arrive"), place=places.EVENTS)
def events() -> Result:
    """What came to the callback address so far."""
    last = Callback.objects.aggregate(last=Max("received_at"))["last"]
    refused = counters.totals()["bad_envelope"]
    if last is None and refused:
        words = _(
            "%(n)d requests to the callback address were refused for their signature and none was accepted: token or"
            " EncodingAESKey differ from what the console has."
        )
        return failed(words % {"n": refused}, places.CALLBACK)
    if last is None:
        words = _(
            "No event has come yet. Tick the events and add a test customer; WeCom only tells of staff in the app's visible"
            " range."
        )
        return warning(words, places.EVENTS)
    words = _("The last event came %(when)s.") % {"when": formats.moment(last)}
    if refused:
        words += _(" %(n)d other requests were refused for their signature.") % {"n": refused}
    return fine(words)


def _other_page(url: str, page: web.Page) -> str:
    """Somebody answered, but not as we do."""
    if 300 <= page.status < 400:
        words = _("Fetched %(url)s: it leads on to %(location)s. WeCom follows no redirect.")
        return words % {"url": url, "location": page.location[:100]}
    if page.status == 400:
        words = _("Fetched %(url)s: answered 400. Is the host in ALLOWED_HOSTS, and does the proxy pass on Host?")
        return words % {"url": url}
    words = _(
        "Fetched %(url)s: HTTP %(status)d with another page than ours (%(size)d bytes). Does the proxy lead here?"
    )
    return words % {"url": url, "status": page.status, "size": len(page.body)}
