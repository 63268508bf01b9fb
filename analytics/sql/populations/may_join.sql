-- Intent: the cohort of add_to_join_rate: new customers of the days whose window has ended, who sat in no chat when added;
--   `detail` is `joined` for those who began a stay no later than the window after being added.
-- Indexes: analytics_fact_stat_day, stay_of_customer, which holds all that is asked of a stay.
-- Evidence: tests/analytics/test_definitions.py.
SELECT p.customer_id, p.staff_id, p.chat_id, p.state, p.at, p.day, p.detail, p.value, p.estimated, p.source_id, p.source
FROM (
    SELECT f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state, f.at, f.day,
           CASE WHEN EXISTS (
               SELECT 1 FROM groups_stay s
               WHERE s.customer_id = f.customer_id AND s.counted AND s.joined_at >= f.at AND s.joined_at <= f.at + %(window)s
           ) THEN 'joined' ELSE '' END AS detail,
           f.value, f.estimated, f.source_id, f.stat AS source
    FROM analytics_fact f
    WHERE f.stat = 'new_customers' AND f.day >= %(start)s AND f.day < %(end)s
      AND (%(staff)s::bigint[] IS NULL OR coalesce(f.staff_id, 0) = ANY(%(staff)s::bigint[]))
      AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
      AND NOT EXISTS (
          SELECT 1 FROM groups_stay s
          WHERE s.customer_id = f.customer_id AND s.joined_at < f.at AND (s.left_at IS NULL OR s.left_at > f.at)
          OFFSET 0  -- asked row by row: as a join it would read the whole ledger for a few days
      )
    OFFSET 0  -- `detail` is found once, however often it is asked for
) p
WHERE %(details)s::text[] IS NULL OR p.detail = ANY(%(details)s::text[])
