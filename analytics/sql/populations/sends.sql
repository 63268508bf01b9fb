-- Intent: recipients whom the platform says it has reached, by the day they were; `value` is the people reached there. A
--   delivery is sent between its task's creation and the moment nothing of the task can change any more; the hour covers
--   clocks that differ.
-- Indexes: campaigns_delivery_of_dispatch for the tasks that were open in the interval.
-- Evidence: tests/analytics/test_sending.py.
SELECT d.customer_id, d.staff_id, d.chat_id, coalesce(c.first_state, '') AS state, d.sent_at AS at,
       (d.sent_at AT TIME ZONE %(zone)s)::date AS day, d.state AS detail, d.reach AS value, false AS estimated,
       d.id AS source_id, 'delivery' AS source
FROM campaigns_dispatch t
JOIN campaigns_broadcast b ON b.id = t.broadcast_id
JOIN campaigns_delivery d ON d.dispatch_id = t.id AND d.plan_date = b.plan_date
LEFT JOIN contacts_customer c ON c.id = d.customer_id
WHERE t.sent_at < %(until)s::timestamptz + interval '1 hour'
  AND (t.settled_at IS NULL OR t.settled_at >= %(since)s::timestamptz - interval '1 hour')
  AND d.state = 'sent' AND d.sent_at >= %(since)s AND d.sent_at < %(until)s
  AND (%(staff)s::bigint[] IS NULL OR d.staff_id = ANY(%(staff)s::bigint[]))
  AND (%(chat)s::bigint IS NULL OR coalesce(d.chat_id, 0) = %(chat)s::bigint)
  AND (%(state)s::text IS NULL OR coalesce(c.first_state, '') = %(state)s::text)
