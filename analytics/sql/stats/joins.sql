-- Intent: stays of external persons begun before our eyes (metrics.md `joins`, `joiners`): members already there when the
--   chat was first read have not joined, own staff never count.
-- Indexes: stay_joined for the days.
-- Evidence: tests/analytics/test_definitions.py, tests/analytics/test_fill.py.
SELECT (s.joined_at AT TIME ZONE %(zone)s)::date AS day, s.joined_at AS at, s.customer_id, NULL::bigint AS staff_id, s.chat_id, s.state,
       '' AS detail, 1 AS value, false AS estimated, s.id AS source_id
FROM groups_stay s
WHERE s.joined_at >= %(start)s AND s.joined_at < %(end)s
  AND s.customer_id IS NOT NULL AND s.counted
