-- Intent: persons whose first ever period of friendship begins (metrics.md `new_customers`): one row a person, ever.
--   A person who first came by hand-over was somebody's customer before and is never new.
-- Indexes: follow_added for the days, follow_of_customer for the question whether an earlier period exists.
-- Evidence: tests/analytics/test_definitions.py.
SELECT (f.added_at AT TIME ZONE %(zone)s)::date AS day, f.added_at AS at, f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state,
       '' AS detail, 1 AS value, false AS estimated, f.id AS source_id
FROM contacts_follow f
WHERE f.added_at >= %(start)s AND f.added_at < %(end)s
  AND NOT f.by_transfer AND f.staff_id <> ALL(%(personas)s::bigint[])
  AND NOT EXISTS (
      SELECT 1 FROM contacts_follow e
      WHERE e.customer_id = f.customer_id AND e.added_at <= f.added_at AND (e.added_at, e.id) < (f.added_at, f.id)
        AND e.staff_id <> ALL(%(personas)s::bigint[])
      OFFSET 0  -- asked row by row: as a join it would read the whole ledger for a few days
  )
