-- Intent: one row per new customer of the days, with the moment at which each step was reached, in order: a step counts only
--   after the one before it, first time, and welcome and join no later than the window after the add. Moments of the
--   platform are whole seconds, so a join in the second of the welcome counts as after it.
-- Indexes: analytics_fact_stat_day; welcome_day and stay_joined, by which all that can have happened to these people is
--   read once: looked up person by person it took three times as long. stay_of_customer for who came back to the chat.
-- Evidence: tests/analytics/test_funnels.py (equals a computation by hand over random ledgers).
WITH person AS MATERIALIZED (
    SELECT * FROM (
        SELECT f.customer_id, f.staff_id, f.state, f.at, f.day, f.source_id,
               (SELECT c.external_userid FROM contacts_customer c WHERE c.id = f.customer_id) AS external_userid
        FROM analytics_fact f
        WHERE f.stat = 'new_customers' AND f.day >= %(start)s AND f.day < %(end)s
          AND (%(staff)s::bigint[] IS NULL OR coalesce(f.staff_id, 0) = ANY(%(staff)s::bigint[]))
          AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
        OFFSET 0  -- the ids one by one: as a join it would read the whole table of customers, which is wide
    ) f WHERE external_userid IS NOT NULL
), welcome AS MATERIALIZED (
    SELECT p.customer_id, min(greatest(p.at, v.happened_at + v.latency_ms * interval '1 millisecond')) AS at
    FROM campaigns_welcome v JOIN person p ON p.external_userid = v.external_userid
    WHERE v.outcome = 'sent' AND v.happened_at >= %(since)s::timestamptz - interval '1 minute'
      AND v.happened_at <= %(until)s::timestamptz + %(window)s
      AND v.happened_at >= p.at - interval '1 minute' AND v.happened_at <= p.at + %(window)s
    GROUP BY p.customer_id
), stay AS MATERIALIZED (
    SELECT id, customer_id, chat_id, joined_at, left_at FROM groups_stay
    WHERE counted AND joined_at >= date_trunc('second', %(since)s::timestamptz)
      AND joined_at <= %(until)s::timestamptz + %(window)s
), joined AS MATERIALIZED (
    SELECT DISTINCT ON (p.customer_id) p.customer_id, s.joined_at AS at, s.left_at, s.chat_id
    FROM person p JOIN stay s ON s.customer_id = p.customer_id LEFT JOIN welcome w ON w.customer_id = p.customer_id
    WHERE s.joined_at >= date_trunc('second', {after}) AND s.joined_at <= p.at + %(window)s
    ORDER BY p.customer_id, s.joined_at, s.id
)
SELECT p.customer_id, p.staff_id, p.state, p.at, p.day, p.source_id, w.at AS welcomed, j.at AS joined, j.chat_id,
       p.at + %(window)s <= %(now)s AS closed,
       p.at + %(window)s + interval '7 days' <= %(now)s AS ripe,
       j.at IS NOT NULL AND (j.left_at IS NULL OR j.left_at > j.at + interval '7 days' OR EXISTS (
           SELECT 1 FROM groups_stay k
           WHERE k.customer_id = p.customer_id AND k.chat_id = j.chat_id
             AND k.joined_at <= j.at + interval '7 days' AND (k.left_at IS NULL OR k.left_at > j.at + interval '7 days')
       )) AS stayed
FROM person p
LEFT JOIN welcome w ON w.customer_id = p.customer_id
LEFT JOIN joined j ON j.customer_id = p.customer_id
