"""What a customer's row repeats from the follow ledger, refreshed in sets by every verb that writes the ledger."""

from collections.abc import Sequence

from django.db import connection, transaction

# Whoever writes follows of the same customer at the same time waits here and then counts the other's rows as well;
# ordered, so that two sets never wait for each other.
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


def refresh_customers(ids: Sequence[int]) -> None:
    """Computes first_added_at, first_state, open_follows and lost_at of these customers (primary keys) anew.

    `lost_at`: when the last open period ended, if customer or staff ended it; none while one is open. Runs in the
    caller's transaction, behind its writes to the ledger.
    """
    chosen = sorted(set(ids))
    if not chosen:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [chosen])
        cursor.execute(_REFRESH, [chosen])
