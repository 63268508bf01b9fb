-- Intent: recipients whom the platform says it has reached, by the day they were; `value` is the people reached there. A
--   delivery is sent between its task's creation and the moment nothing of the task can change any more; the hour covers
--   clocks that differ.
--   `stat` narrows to those to `customers` or to `chats`.
-- Indexes: campaigns_delivery_of_dispatch; only the months in which the broadcasts of the tasks then open were approved
--   are read.
-- Evidence: tests/analytics/test_sending.py.
SELECT d.customer_id, d.staff_id, d.chat_id, coalesce(c.first_state, '') AS state, d.sent_at AS at,
       (d.sent_at AT TIME ZONE %(zone)s)::date AS day, d.state AS detail, d.reach AS value, false AS estimated,
       d.id AS source_id, 'delivery' AS source
FROM (
    WITH open AS MATERIALIZED (
        SELECT t.id, b.plan_date
        FROM campaigns_dispatch t JOIN campaigns_broadcast b ON b.id = t.broadcast_id
        WHERE t.sent_at < %(until)s::timestamptz + interval '1 hour'
          AND (t.settled_at IS NULL OR t.settled_at >= %(since)s::timestamptz - interval '1 hour')
    )
    SELECT d.* FROM open JOIN campaigns_delivery d ON d.dispatch_id = open.id AND d.plan_date = open.plan_date
    WHERE d.plan_date >= (SELECT min(plan_date) FROM open) AND d.plan_date <= (SELECT max(plan_date) FROM open)
) d
LEFT JOIN contacts_customer c ON c.id = d.customer_id
WHERE d.state = 'sent' AND (%(stat)s = '' OR (%(stat)s = 'chats') = (d.chat_id IS NOT NULL)) AND d.sent_at >= %(since)s AND d.sent_at < %(until)s
  AND (%(staff)s::bigint[] IS NULL OR d.staff_id = ANY(%(staff)s::bigint[]))
  AND (%(chat)s::bigint IS NULL OR coalesce(d.chat_id, 0) = %(chat)s::bigint)
  AND (%(state)s::text IS NULL OR coalesce(c.first_state, '') = %(state)s::text)
