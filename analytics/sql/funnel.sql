-- Intent: one row per new customer of the days, with the moment at which each step was reached, in order: a step counts only
--   after the one before it, first time, and welcome and join no later than the window after the add. Moments of the
--   platform are whole seconds, so a join in the second of the welcome counts as after it.
-- Indexes: analytics_fact_stat_day, welcome_of_customer, stay_of_customer.
-- Evidence: tests/analytics/test_funnels.py (equals a computation by hand over random ledgers).
SELECT f.customer_id, f.staff_id, f.state, f.at, f.day, f.source_id, w.at AS welcomed, j.at AS joined, j.chat_id,
       f.at + %(window)s <= %(now)s AS closed,
       f.at + %(window)s + interval '7 days' <= %(now)s AS ripe,
       j.at IS NOT NULL AND EXISTS (
           SELECT 1 FROM groups_stay k
           WHERE k.customer_id = f.customer_id AND k.chat_id = j.chat_id
             AND k.joined_at <= j.at + interval '7 days' AND (k.left_at IS NULL OR k.left_at > j.at + interval '7 days')
       ) AS stayed
FROM analytics_fact f
JOIN contacts_customer c ON c.id = f.customer_id
LEFT JOIN LATERAL (
    SELECT min(greatest(f.at, v.happened_at + v.latency_ms * interval '1 millisecond')) AS at
    FROM campaigns_welcome v
    WHERE v.external_userid = c.external_userid AND v.outcome = 'sent'
      AND v.happened_at >= f.at - interval '1 minute' AND v.happened_at <= f.at + %(window)s
) w ON true
LEFT JOIN LATERAL (
    SELECT s.joined_at AS at, s.chat_id
    FROM groups_stay s
    WHERE s.customer_id = f.customer_id AND s.counted
      AND s.joined_at >= date_trunc('second', {after}) AND s.joined_at <= f.at + %(window)s
    ORDER BY s.joined_at, s.id LIMIT 1
) j ON true
WHERE f.stat = 'new_customers' AND f.day >= %(start)s AND f.day < %(end)s
  AND (%(staff)s::bigint[] IS NULL OR coalesce(f.staff_id, 0) = ANY(%(staff)s::bigint[]))
  AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
