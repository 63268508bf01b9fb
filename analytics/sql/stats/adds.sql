-- Intent: every period of friendship begun by somebody adding somebody (metrics.md `adds`). A hand-over is no add; a half
--   add that became full is one period, hence one add.
-- Indexes: follow_added for the days.
-- Evidence: tests/analytics/test_definitions.py, tests/analytics/test_fill.py.
SELECT (f.added_at AT TIME ZONE %(zone)s)::date AS day, f.added_at AS at, f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state,
       '' AS detail, 1 AS value, false AS estimated, f.id AS source_id
FROM contacts_follow f
WHERE f.added_at >= %(start)s AND f.added_at < %(end)s
  AND NOT f.by_transfer AND f.staff_id <> ALL(%(personas)s::bigint[])
