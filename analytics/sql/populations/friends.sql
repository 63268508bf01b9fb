-- Intent: periods of friendship open at a moment, the ledger itself: begun before it and not ended before it, so that what
--   happens on a day's first instant belongs to that day.
-- Indexes: none, most rows match.
-- Evidence: tests/analytics/test_definitions.py, tests/benchmarks/fill.py.
SELECT f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state, f.added_at AS at,
       (f.added_at AT TIME ZONE %(zone)s)::date AS day, '' AS detail, 1 AS value, false AS estimated,
       f.id AS source_id, 'follow' AS source
FROM contacts_follow f
WHERE f.added_at < %(moment)s AND (f.ended_at IS NULL OR f.ended_at >= %(moment)s)
  AND f.staff_id <> ALL(%(personas)s::bigint[])
  AND (%(staff)s::bigint[] IS NULL OR f.staff_id = ANY(%(staff)s::bigint[]))
  AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
