"""How the installation is doing, from database and Redis: for /readyz, /metrics and the home page. No personal data."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db.models import Count
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.exposition import generate_latest

from campaigns.models import Welcome
from contacts.models import Customer, SyncRun
from groups.models import GroupChat
from scrm.base import clock, redis
from scrm.base.models import Heartbeat
from scrm.base.work.watch import ALIVE_SECONDS, depths
from scrm.wecom import brake, quotas, tokens
from scrm.wecom.callback import counters

__all__ = ["ALIVE_SECONDS", "CONTENT_TYPE", "exposition", "token_state", "workers"]


def workers() -> dict[str, float]:
    """Seconds since the last heartbeat by queue (of its liveliest worker)."""
    now = clock.real_now()
    seen: dict[str, float] = {}
    for row in Heartbeat.objects.all():
        age = max(0.0, round((now - row.seen_at).total_seconds(), 1))
        seen[row.queue] = min(age, seen.get(row.queue, age))
    return seen


def token_state() -> str:
    """`ok`, `none` (not fetched yet), `refused` (wrong secret), `not_configured`, `unknown` (Redis away)."""
    if not (settings.WECOM_CORP_ID and settings.WECOM_SECRET):
        return "not_configured"
    try:
        return tokens.state(settings.WECOM_API_URL, settings.WECOM_CORP_ID, settings.WECOM_SECRET)
    except redis.Away:
        return "unknown"


class _Vitals:
    """Collected at each scrape."""

    def collect(self) -> Iterator[Metric]:
        yield from _work()
        yield from _platform()
        yield from _domain()


def exposition() -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Vitals())
    return generate_latest(registry)


def _work() -> Iterator[Metric]:
    open_work = GaugeMetricFamily("scrm_work_open", "Work waiting or in hand", labels=["lane"])
    failed = GaugeMetricFamily("scrm_work_failed", "Work put aside after its attempts", labels=["lane"])
    oldest = GaugeMetricFamily(
        "scrm_work_oldest_seconds", "How long the oldest open work has been due", labels=["lane"]
    )
    for item in depths():
        open_work.add_metric([item["lane"]], item["open"])
        failed.add_metric([item["lane"]], item["failed"])
        oldest.add_metric([item["lane"]], item["oldest"] or 0.0)
    beats = GaugeMetricFamily(
        "scrm_worker_heartbeat_seconds", "Seconds since a worker of the queue was seen", labels=["queue"]
    )
    for queue, age in workers().items():
        beats.add_metric([queue], age)
    requests = CounterMetricFamily(
        "scrm_callback_requests", "Requests to the callback address by answer", labels=["outcome"]
    )
    for outcome, number in counters.totals().items():
        requests.add_metric([outcome], number)
    yield from (open_work, failed, oldest, beats, requests)


def _platform() -> Iterator[Metric]:
    up = GaugeMetricFamily("scrm_redis_up", "Whether Redis answers")
    calls = GaugeMetricFamily("scrm_wecom_calls_hour", "Calls of the last 60 minutes", labels=["api"])
    failures = GaugeMetricFamily("scrm_wecom_failures_hour", "Of them without success", labels=["api"])
    pauses = GaugeMetricFamily("scrm_wecom_paused_seconds", "Remaining pause of an API", labels=["api"])
    answers = 0
    with suppress(redis.Away):
        for item in quotas.usage():
            calls.add_metric([item.api], item.hour)
            failures.add_metric([item.api], item.failed)
            pauses.add_metric([item.api], item.paused_seconds)
        answers = 1
    up.add_metric([], answers)
    token = GaugeMetricFamily(
        "scrm_wecom_token", "State of the access token (1 for the one it is in)", labels=["state"]
    )
    token.add_metric([token_state()], 1)
    sending = GaugeMetricFamily("scrm_sending", "The brake (1 for its position)", labels=["position"])
    sending.add_metric([brake.position()], 1)
    build = GaugeMetricFamily("scrm_build", "The version that runs", labels=["version"])
    build.add_metric([settings.VERSION], 1)
    yield from (up, calls, failures, pauses, token, sending, build)


def _domain() -> Iterator[Metric]:
    welcomes = CounterMetricFamily("scrm_welcomes", "Welcome codes by outcome", labels=["outcome"])
    for outcome, number in Welcome.objects.order_by().values_list("outcome").annotate(Count("pk")):
        welcomes.add_metric([outcome], number)
    customers = GaugeMetricFamily("scrm_customers", "Customers with an open friendship")
    customers.add_metric([], Customer.objects.kept().count())
    chats = GaugeMetricFamily("scrm_group_chats", "Living group chats")
    chats.add_metric([], GroupChat.objects.living().count())
    synced = GaugeMetricFamily("scrm_last_sync_timestamp_seconds", "When the last full sync was done")
    held = GaugeMetricFamily("scrm_sync_held_removals", "Removals that wait for a person")
    last: Any = SyncRun.objects.filter(state=SyncRun.State.DONE, finished_real_at__isnull=False).first()
    if last is not None:
        synced.add_metric([], last.finished_real_at.timestamp())
    waiting = SyncRun.objects.filter(state=SyncRun.State.HELD).first()
    held.add_metric([], waiting.held if waiting else 0)
    yield from (welcomes, customers, chats, synced, held)
