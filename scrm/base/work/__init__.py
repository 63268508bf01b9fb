"""Durable work: the one mechanism by which anything that must survive gets done.

A row of `Work` is written in the transaction of its source. A lane is a name with a handler. A worker claims a
(lane, entity): its oldest open work and all siblings, does one job for all of them, and settles them while its lease
holds. Three failed attempts in a row put it into quarantine with the error; it never blocks later siblings.
"""

from scrm.base.work.claim import Claim, LeaseLost
from scrm.base.work.lanes import Again, Lane, lane, lanes, lanes_of_queue
from scrm.base.work.queue import enqueue, enqueue_many, replay, replay_failed

__all__ = [
    "Again",
    "Claim",
    "Lane",
    "LeaseLost",
    "enqueue",
    "enqueue_many",
    "lane",
    "lanes",
    "lanes_of_queue",
    "replay",
    "replay_failed",
]
