-- Intent: one row for every welcome code the platform gave us, `detail` what became of it, `value` the milliseconds from
--   CreateTime to acceptance (-1: not accepted) (metrics.md `welcomes_due`, `welcomes_sent`, `welcome_p99`).
-- Indexes: welcome_day for the days; userid and external_userid are unique in their tables.
-- Evidence: tests/analytics/test_definitions.py.
SELECT d.day, w.happened_at AS at, c.id AS customer_id, s.id AS staff_id, NULL::bigint AS chat_id, w.state,
       w.outcome AS detail, CASE WHEN w.outcome = 'sent' THEN coalesce(w.latency_ms, -1) ELSE -1 END AS value,
       false AS estimated, w.id AS source_id
FROM unnest(%(days)s::date[]) AS d(day)
JOIN campaigns_welcome w
  ON w.happened_at >= d.day::timestamp AT TIME ZONE %(zone)s
 AND w.happened_at < (d.day + 1)::timestamp AT TIME ZONE %(zone)s
LEFT JOIN contacts_staff s ON s.userid = w.userid
LEFT JOIN contacts_customer c ON c.external_userid = w.external_userid
WHERE s.id IS NULL OR s.id <> ALL(%(personas)s::bigint[])
