-- Intent: the happenings of an interval in chats (joins, leaves, removals); whose they are is the chat's owner now.
-- Indexes: analytics_fact_stat_day.
-- Evidence: tests/analytics/test_rows.py, tests/benchmarks/fill.py.
SELECT f.customer_id, g.owner_id AS staff_id, f.chat_id, f.state, f.at, f.day, f.detail, f.value, f.estimated,
       f.source_id, f.stat AS source
FROM analytics_fact f LEFT JOIN groups_groupchat g ON g.id = f.chat_id
WHERE f.stat = %(stat)s AND f.day >= %(start)s AND f.day < %(end)s
  AND (%(chats)s::bigint[] IS NULL OR f.chat_id = ANY(%(chats)s::bigint[]))
  AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
