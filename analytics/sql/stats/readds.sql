-- Intent: periods begun by a person of whom a customer or a staff member had ended an earlier one (metrics.md `readds`).
--   An earlier period that ended by hand-over is no loss, so nobody returns from it.
-- Indexes: follow_added for the days, follow_of_customer for the earlier period.
-- Evidence: tests/analytics/test_definitions.py.
SELECT (f.added_at AT TIME ZONE %(zone)s)::date AS day, f.added_at AS at, f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state,
       '' AS detail, 1 AS value, false AS estimated, f.id AS source_id
FROM contacts_follow f
WHERE f.added_at >= %(start)s AND f.added_at < %(end)s
  AND NOT f.by_transfer AND f.staff_id <> ALL(%(personas)s::bigint[])
  AND EXISTS (
      SELECT 1 FROM contacts_follow e
      WHERE e.customer_id = f.customer_id AND e.added_at <= f.added_at AND e.id <> f.id
        AND e.ended_at <= f.added_at AND e.ended_by IN ('customer', 'staff')
        AND e.staff_id <> ALL(%(personas)s::bigint[])
      OFFSET 0  -- asked row by row: as a join it would read the whole ledger for a few days
  )
