-- Intent: periods ended by the customer or the staff member, `detail` says who (metrics.md `losses`). Hand-over and a
--   staff member's leaving are no losses. An end that nobody told us counts on the day found and is estimated.
-- Indexes: follow_ended for the days.
-- Evidence: tests/analytics/test_definitions.py, tests/analytics/test_fill.py.
SELECT (f.ended_at AT TIME ZONE %(zone)s)::date AS day, f.ended_at AS at, f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state,
       f.ended_by AS detail, 1 AS value, f.ended_known_by IN ('read', 'sync', 'send_result') AS estimated,
       f.id AS source_id
FROM contacts_follow f
WHERE f.ended_at >= %(start)s AND f.ended_at < %(end)s
  AND f.ended_by IN ('customer', 'staff') AND f.staff_id <> ALL(%(personas)s::bigint[])
