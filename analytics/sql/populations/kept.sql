-- Intent: joins of the days whose window has ended; `detail` is `kept` for persons who are in that chat at the end of their
--   own window (metrics.md `retention_dN`).
-- Indexes: analytics_fact_stat_day, stay_of_customer, which holds all that is asked of a stay.
-- Evidence: tests/analytics/test_definitions.py.
SELECT p.customer_id, p.staff_id, p.chat_id, p.state, p.at, p.day, p.detail, p.value, p.estimated, p.source_id, p.source
FROM (
    SELECT f.customer_id, g.owner_id AS staff_id, f.chat_id, f.state, f.at, f.day,
           CASE WHEN EXISTS (
               SELECT 1 FROM groups_stay s
               WHERE s.customer_id = f.customer_id AND s.chat_id = f.chat_id
                 AND s.joined_at <= f.at + %(window)s AND (s.left_at IS NULL OR s.left_at > f.at + %(window)s)
           ) THEN 'kept' ELSE '' END AS detail,
           f.value, f.estimated, f.source_id, f.stat AS source
    FROM analytics_fact f LEFT JOIN groups_groupchat g ON g.id = f.chat_id
    WHERE f.stat = 'joins' AND f.day >= %(start)s AND f.day < %(end)s
      AND (%(chats)s::bigint[] IS NULL OR f.chat_id = ANY(%(chats)s::bigint[]))
      AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
    OFFSET 0  -- `detail` is found once, however often it is asked for
) p
WHERE %(details)s::text[] IS NULL OR p.detail = ANY(%(details)s::text[])
