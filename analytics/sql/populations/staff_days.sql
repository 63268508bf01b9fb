-- Intent: days on which a staff member got tasks, each once for each staff member: the base of a mean per head and day.
-- Indexes: dispatch_sent.
-- Evidence: tests/analytics/test_sending.py.
SELECT DISTINCT ON (t.staff_id, (t.sent_at AT TIME ZONE %(zone)s)::date)
       NULL::bigint AS customer_id, t.staff_id, NULL::bigint AS chat_id, '' AS state, t.sent_at AS at,
       (t.sent_at AT TIME ZONE %(zone)s)::date AS day, '' AS detail, 1 AS value, false AS estimated,
       t.id AS source_id, 'staff_day' AS source
FROM campaigns_dispatch t
WHERE t.sent_at >= %(since)s AND t.sent_at < %(until)s
  AND (%(staff)s::bigint[] IS NULL OR t.staff_id = ANY(%(staff)s::bigint[]))
ORDER BY t.staff_id, (t.sent_at AT TIME ZONE %(zone)s)::date, t.sent_at, t.id
