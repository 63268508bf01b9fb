-- Intent: persons whose last open period ends by customer or staff: nobody is their friend from that moment on (metrics.md
--   `lost_customers`). Who is lost twice in an interval counts once there: distinct when counted.
-- Indexes: follow_ended for the days, follow_of_customer for the question whether another period goes on.
-- Evidence: tests/analytics/test_definitions.py.
SELECT (f.ended_at AT TIME ZONE %(zone)s)::date AS day, f.ended_at AS at, f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state,
       f.ended_by AS detail, 1 AS value, f.ended_known_by IN ('read', 'sync', 'send_result') AS estimated,
       f.id AS source_id
FROM contacts_follow f
WHERE f.ended_at >= %(start)s AND f.ended_at < %(end)s
  AND f.ended_by IN ('customer', 'staff') AND f.staff_id <> ALL(%(personas)s::bigint[])
  AND NOT EXISTS (
      SELECT 1 FROM contacts_follow o
      WHERE o.customer_id = f.customer_id AND o.id <> f.id AND o.added_at <= f.ended_at
        AND (o.ended_at IS NULL OR o.ended_at > f.ended_at)
        AND o.staff_id <> ALL(%(personas)s::bigint[])
      OFFSET 0  -- asked row by row: as a join it would read the whole ledger for a few days
  )
