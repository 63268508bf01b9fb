"""What a customer's row repeats from the follow ledger, refreshed in sets by every verb that writes the ledger."""

from collections.abc import Iterable

from django.db import connection, transaction

# Ordered, so that two sets never wait for each other.
_LOCK = "SELECT id FROM contacts_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

_REFRESH = """
UPDATE contacts_customer c
SET first_added_at = s.first_added_at, first_state = s.first_state, open_follows = s.open_follows, lost_at = s.lost_at,
    changed_at = statement_timestamp()
FROM (
    SELECT p.id, min(f.added_at) AS first_added_at,
           coalesce((array_agg(f.state ORDER BY f.added_at, f.id))[1], '') AS first_state,
           count(f.id) FILTER (WHERE f.ended_at IS NULL) AS open_follows,
           CASE WHEN count(f.id) FILTER (WHERE f.ended_at IS NULL) = 0
                 AND (array_agg(f.ended_by ORDER BY f.ended_at DESC, f.id DESC))[1] IN ('customer', 'staff')
                THEN max(f.ended_at) END AS lost_at
    FROM contacts_customer p LEFT JOIN contacts_follow f ON f.customer_id = p.id
    WHERE p.id = ANY(%s) GROUP BY p.id
) s
WHERE c.id = s.id
  AND (c.first_added_at, c.first_state, c.open_follows, c.lost_at)
      IS DISTINCT FROM (s.first_added_at, s.first_state, s.open_follows, s.lost_at)
"""


def lock_customers(ids: Iterable[int]) -> list[int]:
    """Locks these customers (primary keys) until the transaction ends; returns them in order, each once.

    Every verb that writes the ledger does so first: who writes follows of the same customer at the same time waits here,
    and not in a circle with those who hold the customer and want the follow.
    """
    chosen = sorted(set(ids))
    if chosen:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [chosen])
    return chosen


def refresh_customers(ids: Iterable[int]) -> None:
    """Computes first_added_at, first_state, open_follows and lost_at of these customers (primary keys) anew.

    `lost_at`: when the last open period ended, if customer or staff ended it; none while one is open. Runs in the
    caller's transaction, behind its writes to the ledger.
    """
    chosen = set(ids)
    if chosen:
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute(_REFRESH, [lock_customers(chosen)])
