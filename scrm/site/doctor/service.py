"""Our own processes: database, Redis, workers, beat, and whether they keep up."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scrm.base import redis
from scrm.base.work.lanes import BEAT, QUEUES
from scrm.base.work.watch import depths
from scrm.site.console import vitals
from scrm.site.doctor.registry import Result, check, failed, fine, warning

LATE_SECONDS = 120.0


@check("database", part="service", title=gettext_lazy("Database"))
def database() -> Result:
    """Answers, and has the tables of this version."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return failed(_("%(n)d migrations are missing: run manage.py migrate.") % {"n": missing})
    version = connection.pg_version // 10_000  # type: ignore[attr-defined]  # PostgreSQL's wrapper has it
    return fine(_("PostgreSQL %(version)d answers, all tables are there.") % {"version": version})


@check("redis", part="service", title=gettext_lazy("Redis"))
def redis_answers() -> Result:
    """Away, it delays nothing that matters, but limits are kept by each process alone."""
    try:
        redis.attempt(lambda client: client.ping())
    except redis.Away:
        return failed(_("Redis does not answer (REDIS_URL). Messages go on, shared limits and counters do not."))
    return fine(_("Redis answers."))


@check("workers", part="service", title=gettext_lazy("Workers"))
def workers() -> Result:
    """Each queue family was seen in somebody's hands lately."""
    alive = {queue for queue, age in vitals.workers().items() if age <= vitals.ALIVE_SECONDS}
    missing = [queue for queue in QUEUES if queue not in alive]
    if missing:
        words = _("No worker serves: %(queues)s. Start celery -A scrm worker -Q %(arguments)s.")
        return failed(words % {"queues": "、".join(missing), "arguments": ",".join(missing)})
    return fine(_("Every queue has a worker: %(queues)s.") % {"queues": "、".join(QUEUES)})


@check("beat", part="service", title=gettext_lazy("Beat (fixed rhythms)"))
def beat() -> Result:
    """It rings every few seconds and notes that it did."""
    age = vitals.workers().get(BEAT)
    if age is None or age > vitals.ALIVE_SECONDS:
        return failed(_("Beat was not seen lately: no nightly sync, no numbers. Start celery -A scrm beat, once."))
    return fine(_("Beat was seen %(n).0f s ago.") % {"n": age})


@check("queues", part="service", title=gettext_lazy("Work is done in time"))
def queues() -> Result:
    """How long the oldest due work waits, and what was put aside."""
    now = depths()
    late = [item["lane"] for item in now if (item["oldest"] or 0.0) > LATE_SECONDS]
    aside = sum(item["failed"] for item in now)
    if late:
        return failed(_("Work has been due for more than two minutes in: %(lanes)s.") % {"lanes": "、".join(late)})
    if aside:
        return warning(_("%(n)d pieces of work failed and were put aside: see the work queue.") % {"n": aside})
    return fine(_("Nothing waits longer than two minutes (%(n)d open).") % {"n": sum(item["open"] for item in now)})
