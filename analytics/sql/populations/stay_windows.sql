-- Intent: stays of external persons in the days with `value` = how many windows of that length they lasted in them: the
--   base of who leaves without any message.
-- Indexes: none, most rows match.
-- Evidence: tests/analytics/test_sending.py.
SELECT s.customer_id, g.owner_id AS staff_id, s.chat_id, '' AS state, s.joined_at AS at,
       (s.joined_at AT TIME ZONE %(zone)s)::date AS day, '' AS detail,
       extract(epoch FROM least(coalesce(s.left_at, %(until)s), %(until)s) - greatest(s.joined_at, %(since)s))
           / extract(epoch FROM %(window)s) AS value,
       false AS estimated, s.id AS source_id, 'stay' AS source
FROM groups_stay s LEFT JOIN groups_groupchat g ON g.id = s.chat_id
WHERE s.customer_id IS NOT NULL AND s.joined_at < %(until)s AND (s.left_at IS NULL OR s.left_at > %(since)s)
  AND (%(chats)s::bigint[] IS NULL OR s.chat_id = ANY(%(chats)s::bigint[]))
