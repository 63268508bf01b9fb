-- Intent: friendships that the customer ended within the window after a message from that staff member, each once, with
--   the last message before its end. What only a send result proved began at an unknown time and is left out.
-- Indexes: follow_ended for the ends, campaigns_delivery_of_customer for the messages before them.
-- Evidence: tests/analytics/test_sending.py.
SELECT f.customer_id, f.staff_id, NULL::bigint AS chat_id, coalesce(c.first_state, '') AS state, d.sent_at AS at,
       (d.sent_at AT TIME ZONE %(zone)s)::date AS day, f.ended_by AS detail, 1 AS value,
       f.ended_known_by IN ('read', 'sync') AS estimated, f.id AS source_id, 'losses' AS source
FROM contacts_follow f
JOIN contacts_customer c ON c.id = f.customer_id
JOIN LATERAL (
    SELECT m.sent_at FROM campaigns_delivery m
    WHERE m.customer_id = f.customer_id AND m.staff_id = f.staff_id AND m.state = 'sent'
      AND m.sent_at < f.ended_at AND m.sent_at >= f.ended_at - %(window)s AND m.sent_at >= f.added_at
      AND m.plan_date >= %(start)s::date - 62 AND m.plan_date <= %(end)s::date + 31
    ORDER BY m.sent_at DESC LIMIT 1
) d ON true
WHERE f.ended_by = 'customer' AND f.ended_known_by <> 'send_result' AND f.staff_id <> ALL(%(personas)s::bigint[])
  AND f.ended_at >= %(since)s AND f.ended_at < %(until)s::timestamptz + %(window)s
  AND d.sent_at >= %(since)s AND d.sent_at < %(until)s
  AND (%(staff)s::bigint[] IS NULL OR f.staff_id = ANY(%(staff)s::bigint[]))
  AND (%(state)s::text IS NULL OR coalesce(c.first_state, '') = %(state)s::text)
