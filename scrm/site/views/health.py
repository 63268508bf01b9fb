"""Is it up, is it ready, how is it doing: for load balancers, the demo and Prometheus."""

import os
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from scrm.base import redis
from scrm.base.dbclock import db_now
from scrm.base.models import Heartbeat, Work
from scrm.base.patience import patience
from scrm.site import proofs
from scrm.site.console import vitals

PATIENCE_SECONDS = 4.0  # for the database; checks of health give up after five

_migrated = False


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up. Touches nothing."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when migrations are applied and the database answers; in the demo also when every worker was seen once.

    The rest of the answer is information: a Redis that is away or a full inbox never takes the process out of service.
    """
    try:
        with patience(PATIENCE_SECONDS):
            migrated, inbox, workers = _is_migrated(), inbox_state(), vitals.workers()
    except (DatabaseError, InterfaceError):
        connection.close()
        return JsonResponse({"ready": False, "database": "away", "redis": _redis()}, status=503)
    waiting = sorted(_demo_queues() - set(workers))
    ready = migrated and not waiting
    answer: dict[str, Any] = {
        "ready": ready,
        "database": "ok" if migrated else "migrations are missing",
        "redis": _redis(),
        "inbox": inbox,
        "workers": workers,
        "wecom_token": vitals.token_state(),
    }
    if waiting:
        answer["waiting_for"] = waiting
    return JsonResponse(answer, status=200 if ready else 503)


def inbox_state() -> dict[str, Any]:
    """`{"waiting", "failed", "oldest_seconds"}` of the callbacks; the age is that of the oldest due work."""
    works = Work.objects.filter(source_kind="callback")
    waiting = works.filter(state__in=[Work.State.WAITING, Work.State.LEASED])
    first = waiting.filter(not_before__lte=Now()).aggregate(first=Min("not_before"))["first"]
    age = (db_now() - first).total_seconds() if first else 0.0
    return {
        "waiting": waiting.values("source_id").distinct().count(),
        "failed": works.filter(state=Work.State.QUARANTINED).values("source_id").distinct().count(),
        "oldest_seconds": round(max(0.0, age), 1),
    }


def _is_migrated() -> bool:
    """Whether all migrations are applied; once they are, they stay."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    else:
        Heartbeat.objects.exists()
    return _migrated


def _demo_queues() -> set[str]:
    """The queues whose workers the demo has started (it says so to its children)."""
    return {name for group in os.environ.get("DEMO_QUEUES", "").split(",") for name in [group.strip()] if name}


def _redis() -> str:
    try:
        redis.attempt(lambda client: client.ping())
    except redis.Away:
        return "away"
    return "ok"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text. From this machine itself, or with METRICS_TOKEN as bearer token; anybody else: 403."""
    if not _may_scrape(request):
        return HttpResponse("forbidden", status=403, content_type="text/plain")
    try:
        with patience(PATIENCE_SECONDS):
            return HttpResponse(vitals.exposition(), content_type=vitals.CONTENT_TYPE)
    except (DatabaseError, InterfaceError):
        connection.close()
        return HttpResponse("the database is away", status=503, content_type="text/plain")


def _may_scrape(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if settings.METRICS_TOKEN and given:
        return constant_time_compare(given, settings.METRICS_TOKEN)
    # A request that a proxy passed on comes from its machine, not from the one who asked.
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded"))
    return not passed_on and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


@require_safe
def domain_proof(request: HttpRequest, name: str) -> HttpResponse:
    """`/WW_verify_<code>.txt` and `/MP_verify_<code>.txt`, kept in the console or given by DOMAIN_PROOFS."""
    content = proofs.content_of(name)
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="text/plain")
