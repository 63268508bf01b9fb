-- Intent: recipients to whom something was to be sent, by the day for which their broadcast was planned (`create_at`), so
--   that what became of them adds up to what was planned. `detail` is the state as users read it
--   (DeliveryQuerySet.with_progress), `state` the channel through which the customer first came, staff who was to send.
-- Indexes: campaigns_delivery_once by broadcast; only the months in which these broadcasts were approved are read. They are
--   not joined by `plan_date` as well: it says no more, but the planner takes it for a second condition, expects a handful
--   of rows and looks up a million tasks one by one. For the same reason one bound of the months stands in an array: two
--   plain ones are taken for a narrow range. Of the states all but `planned` stand in the row itself.
-- Evidence: tests/analytics/test_sending.py.
SELECT p.customer_id, p.staff_id, p.chat_id, p.state, p.at, p.day, p.detail, p.value, p.estimated, p.source_id, p.source
FROM (
    SELECT d.customer_id, d.staff_id, d.chat_id, coalesce(c.first_state, '') AS state, b.create_at AS at, b.day,
           d.state = 'planned' AS open,
           CASE WHEN d.state <> 'planned' THEN d.state
                WHEN t.state IN ('sending', 'unknown') THEN t.state
                WHEN t.state = 'unread' THEN 'unknown'
                WHEN t.state IN ('sent', 'confirmed') THEN 'waiting'
                ELSE 'planned' END AS detail,
           d.reach AS value, false AS estimated, d.id AS source_id, 'delivery' AS source
    FROM (
        SELECT id, create_at, (create_at AT TIME ZONE %(zone)s)::date AS day FROM campaigns_broadcast
        WHERE create_at >= %(since)s AND create_at < %(until)s
        OFFSET 0  -- the day is found once for each broadcast
    ) b
    JOIN campaigns_delivery d ON d.broadcast_id = b.id
    LEFT JOIN campaigns_dispatch t ON t.id = d.dispatch_id
    LEFT JOIN contacts_customer c ON c.id = d.customer_id
    WHERE d.state <> 'excluded'
      AND d.plan_date >= (SELECT min(plan_date) FROM campaigns_broadcast WHERE create_at >= %(since)s AND create_at < %(until)s)
      AND d.plan_date <= ANY(ARRAY[
          (SELECT max(plan_date) FROM campaigns_broadcast WHERE create_at >= %(since)s AND create_at < %(until)s)])
      AND (%(details)s::text[] IS NULL OR d.state = 'planned' OR d.state = ANY(%(details)s::text[]))
      AND (%(staff)s::bigint[] IS NULL OR d.staff_id = ANY(%(staff)s::bigint[]))
      AND (%(chat)s::bigint IS NULL OR coalesce(d.chat_id, 0) = %(chat)s::bigint)
) p
WHERE (%(details)s::text[] IS NULL OR NOT p.open OR p.detail = ANY(%(details)s::text[]))
  AND (%(state)s::text IS NULL OR p.state = %(state)s::text)
