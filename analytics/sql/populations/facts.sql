-- Intent: the happenings of an interval that belong to a staff member (adds, losses, welcomes), as the numbers count them.
-- Indexes: analytics_fact_stat_day.
-- Evidence: tests/analytics/test_rows.py (rows = number), tests/benchmarks/fill.py.
SELECT f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state, f.at, f.day, f.detail, f.value, f.estimated,
       f.source_id, f.stat AS source
FROM analytics_fact f
WHERE f.stat = %(stat)s AND f.day >= %(start)s AND f.day < %(end)s
  AND (%(details)s::text[] IS NULL OR f.detail = ANY(%(details)s::text[]))
  AND (%(staff)s::bigint[] IS NULL OR coalesce(f.staff_id, 0) = ANY(%(staff)s::bigint[]))
  AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
