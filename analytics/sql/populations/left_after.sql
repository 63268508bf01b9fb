-- Intent: stays ended by quitting within the window after a message to the chat, each once, with the last message before.
-- Indexes: stay_left for the ends, campaigns_delivery_of_chat for the messages before them.
-- Evidence: tests/analytics/test_sending.py.
SELECT s.customer_id, d.staff_id, s.chat_id, '' AS state, d.sent_at AS at,
       (d.sent_at AT TIME ZONE %(zone)s)::date AS day, '' AS detail, 1 AS value,
       s.left_known_by <> 'event' AS estimated, s.id AS source_id, 'leaves' AS source
FROM groups_stay s
JOIN LATERAL (
    SELECT m.sent_at, m.staff_id FROM campaigns_delivery m
    WHERE m.chat_id = s.chat_id AND m.state = 'sent'
      AND m.sent_at < s.left_at AND m.sent_at >= s.left_at - %(window)s AND m.sent_at >= s.joined_at
      AND m.plan_date >= %(start)s::date - 62 AND m.plan_date <= %(end)s::date + 31
    ORDER BY m.sent_at DESC LIMIT 1
) d ON true
WHERE s.customer_id IS NOT NULL AND s.quit_scene IS DISTINCT FROM 1 AND s.left_known_by <> 'dismissed'
  AND s.left_at >= %(since)s AND s.left_at < %(until)s::timestamptz + %(window)s
  AND d.sent_at >= %(since)s AND d.sent_at < %(until)s
  AND (%(staff)s::bigint[] IS NULL OR d.staff_id = ANY(%(staff)s::bigint[]))
  AND (%(chat)s::bigint IS NULL OR s.chat_id = %(chat)s::bigint)
