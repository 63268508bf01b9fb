-- Intent: those of may_join.sql who began a stay no later than the window after being added.
-- Indexes: analytics_fact_stat_day, stay_of_customer.
-- Evidence: tests/analytics/test_definitions.py.
SELECT f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state, f.at, f.day, f.detail, f.value, f.estimated,
       f.source_id, f.stat AS source
FROM analytics_fact f
WHERE f.stat = 'new_customers' AND f.day >= %(start)s AND f.day < %(end)s
  AND (%(staff)s::bigint[] IS NULL OR coalesce(f.staff_id, 0) = ANY(%(staff)s::bigint[]))
  AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
  AND NOT EXISTS (
      SELECT 1 FROM groups_stay s
      WHERE s.customer_id = f.customer_id AND s.joined_at < f.at AND (s.left_at IS NULL OR s.left_at > f.at)
  )
  AND EXISTS (
      SELECT 1 FROM groups_stay s
      WHERE s.customer_id = f.customer_id AND s.counted AND s.joined_at >= f.at AND s.joined_at <= f.at + %(window)s
  )
