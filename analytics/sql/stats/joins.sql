-- Intent: stays of external persons begun before our eyes (metrics.md `joins`, `joiners`): members already there when the
--   chat was first read have not joined, own staff never count.
-- Indexes: stay_joined for the days.
-- Evidence: tests/analytics/test_definitions.py, tests/analytics/test_fill.py.
SELECT d.day, s.joined_at AS at, s.customer_id, NULL::bigint AS staff_id, s.chat_id, s.state,
       '' AS detail, 1 AS value, false AS estimated, s.id AS source_id
FROM unnest(%(days)s::date[]) AS d(day)
JOIN groups_stay s
  ON s.joined_at >= d.day::timestamp AT TIME ZONE %(zone)s AND s.joined_at < (d.day + 1)::timestamp AT TIME ZONE %(zone)s
WHERE s.customer_id IS NOT NULL AND s.counted
