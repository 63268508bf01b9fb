"""Celery entry: `celery -A scrm worker -Q <queues>` and `celery -A scrm beat`.

Workers do durable work out of Postgres (scrm.base.work.pump); a Celery message only rings the bell. Fixed rhythms are
beat's, listed here once, named by rhythm and deed.
"""

import os
import threading
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")

app = Celery("scrm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["scrm.base", "scrm.wecom", "contacts", "groups", "campaigns", "analytics", "scrm.site"])

app.conf.beat_schedule = {
    "every-5-seconds-fill-dirty-days": {
        "task": "analytics.fill_dirty_days",
        "schedule": 5.0,
        "options": {"queue": "rollup", "expires": 5},
    },
    # What is nightly is asked for every minute and done once (scrm.base.nightly).
    "every-minute-sync-everything-if-it-is-night": {
        "task": "scrm.site.start_nightly_sync",
        "schedule": 60.0,
        "options": {"queue": "sync", "expires": 60},
    },
    "every-minute-ensure-delivery-partitions-if-it-is-night": {
        "task": "campaigns.ensure_partitions",
        "schedule": 60.0,
        "options": {"queue": "rollup", "expires": 60},
    },
    "every-minute-prune-callbacks-and-logs-if-it-is-night": {
        "task": "scrm.site.prune",
        "schedule": 60.0,
        "options": {"queue": "rollup", "expires": 60},
    },
}

if os.environ.get("DEMO_SCENARIO"):  # said by the demo to its own processes
    app.conf.beat_schedule["every-10-seconds-plan-the-demo"] = {
        "task": "scrm.site.plan_demo",
        "schedule": 10.0,
        "options": {"queue": "rollup", "expires": 10},
    }


@signals.setup_logging.connect
def _leave_logging_to_the_settings(**_: Any) -> None:
    """Having a receiver is enough: Celery then keeps its hands off."""


@signals.celeryd_init.connect
@signals.beat_init.connect
def _refuse_to_start(**_: Any) -> None:
    from scrm.base.checks import refuse_to_start_on_errors  # imports settings

    refuse_to_start_on_errors()


@signals.beat_init.connect
def _touch_with_each_message(**_: Any) -> None:
    """Beat lives as long as its messages go out; the most frequent one goes every five seconds."""
    signals.after_task_publish.connect(_touch, weak=False)


def _touch(**_: Any) -> None:
    from scrm.base import heartbeat  # imports settings
    from scrm.base.work import pump
    from scrm.base.work.lanes import BEAT

    heartbeat.touch()
    pump.note_alive([BEAT], worker=BEAT)


@signals.celeryd_after_setup.connect
def _start_pumps(sender: str, instance: Any, **_: Any) -> None:
    from scrm.base import precedence
    from scrm.base.work import pump  # the app registry is ready only now

    queues = sorted(instance.app.amqp.queues.consume_from)
    precedence.give_way(queues)
    pump.start(queues, worker=f"{sender}:{os.getpid()}")


@signals.worker_shutting_down.connect
def _stop_pumps(**_: Any) -> None:
    from scrm.base.work import pump

    threading.Thread(target=pump.stop).start()
