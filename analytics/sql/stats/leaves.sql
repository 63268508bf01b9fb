-- Intent: stays of external persons ended by quitting, or in a way that nobody told us (metrics.md `leaves`); not by
--   removal, not with the chat's dismissal. A leave found by a later read counts on the day found and is estimated.
-- Indexes: stay_left for the days.
-- Evidence: tests/analytics/test_definitions.py, tests/analytics/test_fill.py.
SELECT (s.left_at AT TIME ZONE %(zone)s)::date AS day, s.left_at AS at, s.customer_id, NULL::bigint AS staff_id, s.chat_id, s.state,
       s.left_known_by AS detail, 1 AS value, s.left_known_by IN ('diff', 'sync') AS estimated, s.id AS source_id
FROM groups_stay s
WHERE s.left_at >= %(start)s AND s.left_at < %(end)s
  AND s.customer_id IS NOT NULL AND s.quit_scene IS DISTINCT FROM 1 AND s.left_known_by <> 'dismissed'
