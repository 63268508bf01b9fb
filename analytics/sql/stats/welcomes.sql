-- Intent: one row for every welcome code the platform gave us, `detail` what became of it, `value` the milliseconds from
--   CreateTime to acceptance (-1: not accepted) (metrics.md `welcomes_due`, `welcomes_sent`, `welcome_p99`).
-- Indexes: welcome_day for the days; userid and external_userid are unique in their tables.
-- Evidence: tests/analytics/test_definitions.py.
SELECT (w.happened_at AT TIME ZONE %(zone)s)::date AS day, w.happened_at AS at,
       (SELECT c.id FROM contacts_customer c WHERE c.external_userid = w.external_userid) AS customer_id, s.id AS staff_id, NULL::bigint AS chat_id, w.state,
       w.outcome AS detail, CASE WHEN w.outcome = 'sent' THEN coalesce(w.latency_ms, -1) ELSE -1 END AS value,
       false AS estimated, w.id AS source_id
FROM campaigns_welcome w
LEFT JOIN contacts_staff s ON s.userid = w.userid
WHERE w.happened_at >= %(start)s AND w.happened_at < %(end)s
  AND (s.id IS NULL OR s.id <> ALL(%(personas)s::bigint[]))
