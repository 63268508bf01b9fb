-- Intent: tasks created for staff members in an interval; `detail` says whether they were confirmed in time, late, or the
--   state in which they wait or ended; `value` is the recipients.
-- Indexes: dispatch_sent.
-- Evidence: tests/analytics/test_sending.py.
SELECT p.customer_id, p.staff_id, p.chat_id, p.state, p.at, p.day, p.detail, p.value, p.estimated, p.source_id, p.source
FROM (
    SELECT NULL::bigint AS customer_id, t.staff_id, NULL::bigint AS chat_id, '' AS state, t.sent_at AS at,
           (t.sent_at AT TIME ZONE %(zone)s)::date AS day,
           CASE WHEN t.confirmed_at <= b.confirm_by THEN 'on_time' WHEN t.confirmed_at IS NOT NULL THEN 'late'
                ELSE t.state END AS detail,
           t.recipients AS value, false AS estimated, t.id AS source_id, 'task' AS source
    FROM campaigns_dispatch t JOIN campaigns_broadcast b ON b.id = t.broadcast_id
    WHERE t.sent_at >= %(since)s AND t.sent_at < %(until)s
      AND (%(staff)s::bigint[] IS NULL OR t.staff_id = ANY(%(staff)s::bigint[]))
) p
WHERE %(details)s::text[] IS NULL OR p.detail = ANY(%(details)s::text[])
