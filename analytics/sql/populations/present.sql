-- Intent: stays of external persons at a moment, the ledger itself: begun before it and not ended before it.
-- Indexes: stay_of_customer alone where persons of the whole company are counted; stay_of_chat for few chats. Each stay has
--   its chat, which a left join lets the planner leave unread where nobody asks for its owner.
-- Evidence: tests/analytics/test_definitions.py, tests/benchmarks/fill.py.
SELECT s.customer_id, g.owner_id AS staff_id, s.chat_id, s.state, s.joined_at AS at,
       (s.joined_at AT TIME ZONE %(zone)s)::date AS day, '' AS detail, 1 AS value, false AS estimated,
       s.id AS source_id, 'stay' AS source
FROM groups_stay s LEFT JOIN groups_groupchat g ON g.id = s.chat_id
WHERE s.customer_id IS NOT NULL AND s.joined_at < %(moment)s AND (s.left_at IS NULL OR s.left_at >= %(moment)s)
  AND (%(chats)s::bigint[] IS NULL OR s.chat_id = ANY(%(chats)s::bigint[]))
  AND (%(state)s::text IS NULL OR s.state = %(state)s::text)
