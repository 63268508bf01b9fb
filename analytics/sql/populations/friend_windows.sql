-- Intent: friendships of the days with `value` = how many windows of that length they lasted in them: the base of what is
--   lost without any message.
-- Indexes: none, most rows match.
-- Evidence: tests/analytics/test_sending.py.
SELECT f.customer_id, f.staff_id, NULL::bigint AS chat_id, f.state, f.added_at AS at,
       (f.added_at AT TIME ZONE %(zone)s)::date AS day, '' AS detail,
       extract(epoch FROM least(coalesce(f.ended_at, %(until)s), %(until)s) - greatest(f.added_at, %(since)s))
           / extract(epoch FROM %(window)s) AS value,
       false AS estimated, f.id AS source_id, 'follow' AS source
FROM contacts_follow f
WHERE f.added_at < %(until)s AND (f.ended_at IS NULL OR f.ended_at > %(since)s)
  AND f.staff_id <> ALL(%(personas)s::bigint[])
  AND (%(staff)s::bigint[] IS NULL OR f.staff_id = ANY(%(staff)s::bigint[]))
  AND (%(state)s::text IS NULL OR f.state = %(state)s::text)
