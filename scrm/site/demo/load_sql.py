"""From staged rows to the ledgers: one statement each. Times are unix seconds there, timestamps here."""

CUSTOMERS = """
INSERT INTO contacts_customer (external_userid, name, search, avatar, type, gender, unionid, position, corp_name,
                               corp_full_name, first_state, open_follows)
SELECT external_userid, name, search, avatar, type, gender, unionid, '', CASE type WHEN 2 THEN '伙伴公司' ELSE '' END,
       CASE type WHEN 2 THEN '伙伴公司有限公司' ELSE '' END, '', 0
FROM staged_customer
"""

# Without a remark of its own the platform shows the customer's name (scrm.standin.api.contacts).
FOLLOWS = """
INSERT INTO contacts_follow (staff_id, customer_id, added_at, added_known_by, listed_at, by_transfer, half, ended_at,
                             ended_by, ended_known_by, add_way, state, oper_userid, remark, description, tag_ids)
SELECT s.id, c.id, to_timestamp(f.added_at), 'history', to_timestamp(f.added_at), false, f.half, to_timestamp(f.ended_at),
       coalesce(f.ended_by, ''), CASE WHEN f.ended_at IS NULL THEN '' ELSE 'history' END, f.add_way, f.state,
       c.external_userid, coalesce(nullif(f.remark, ''), c.name), f.description, f.tag_ids
FROM staged_follow f
JOIN contacts_staff s USING (userid) JOIN contacts_customer c USING (external_userid)
ORDER BY f.place
"""

CHATS = """
WITH made AS (
    INSERT INTO groups_groupchat (chat_id, name, owner_id, admin_userids, notice, type, created_at, dismissed_at,
                                  dismissed_known_by, platform_status, member_version, people, external_people, read_at,
                                  shown_at, first_read_at)
    SELECT g.chat_id, g.name, s.id, g.admins, g.notice, '', to_timestamp(g.created_at), to_timestamp(g.dismissed_at),
           CASE WHEN g.dismissed_at IS NULL THEN '' ELSE 'history' END, 0, g.member_version, 0, 0, clock_timestamp(),
           clock_timestamp(), greatest(to_timestamp(g.created_at), to_timestamp(%(since)s))
    FROM staged_chat g LEFT JOIN contacts_staff s ON s.userid = g.owner
    RETURNING id, member_version
)
INSERT INTO groups_chatversion (chat_id, version, previous) SELECT id, member_version, '' FROM made
"""

# Who sat there on the first day has not joined before our eyes: no join in any number (metrics.md).
STAYS = """
INSERT INTO groups_stay (chat_id, member_id, customer_id, staff_id, joined_at, joined_known_by, read_joined_at, counted,
                         left_at, left_known_by, join_scene, quit_scene, invited_by, state, nickname)
SELECT g.id, m.member_id, c.id, s.id, to_timestamp(m.joined_at), 'history', to_timestamp(m.joined_at),
       m.joined_at >= %(since)s, to_timestamp(m.left_at), CASE WHEN m.left_at IS NULL THEN '' ELSE 'history' END,
       m.join_scene, m.quit_scene, m.invitor, m.state, ''
FROM staged_stay m JOIN groups_groupchat g USING (chat_id)
LEFT JOIN contacts_customer c ON m.member_type = 2 AND c.external_userid = m.member_id
LEFT JOIN contacts_staff s ON m.member_type = 1 AND s.userid = m.member_id
ORDER BY m.joined_at
"""

# The callback came in at once, as far as a history can tell.
WELCOMES = """
INSERT INTO campaigns_welcome (code, userid, external_userid, state, rule_id, rule_name, text, outcome, reason, errcode,
                               attempts, maybe_sent, happened_at, received_at, accepted_at, latency_ms)
SELECT w.code, w.userid, w.external_userid, w.state, r.id, coalesce(r.name, ''),
       replace(coalesce(r.text, ''), '{staff}', s.name), w.outcome, w.reason, w.errcode, 1, false, to_timestamp(w.added_at),
       to_timestamp(w.added_at),
       CASE w.outcome WHEN 'sent' THEN to_timestamp(w.added_at + w.latency_ms / 1000.0) END,
       CASE w.outcome WHEN 'sent' THEN w.latency_ms END
FROM staged_welcome w JOIN contacts_staff s USING (userid)
LEFT JOIN LATERAL (SELECT id, name, text FROM campaigns_welcomerule
                   WHERE active AND channel_id IS NULL AND staff_id IS NULL ORDER BY id LIMIT 1) r ON true
ORDER BY w.added_at
"""

_DELIVERIES = """
INSERT INTO campaigns_delivery (plan_date, broadcast_id, dispatch_id, staff_id, {key}, state, reason, sent_at, reach)
SELECT b.plan_date, b.id, d.id, d.staff_id, r.id, t.state, t.reason, CASE t.state WHEN 'sent' THEN d.confirmed_at END,
       CASE t.state WHEN 'sent' THEN {reach} ELSE 0 END
FROM staged_delivery t JOIN campaigns_broadcast b ON b.id = t.broadcast AND b."to" = '{to}'
JOIN {table} r ON r.{name} = t.receiver LEFT JOIN campaigns_dispatch d ON d.id = t.dispatch
"""
DELIVERIES_TO_CUSTOMERS = _DELIVERIES.format(
    key="customer_id", to="single", table="contacts_customer", name="external_userid", reach="1"
)
# People in the chat when the message came, as campaigns.sending.reconcile counts them.
DELIVERIES_TO_CHATS = _DELIVERIES.format(
    key="chat_id",
    to="group",
    table="groups_groupchat",
    name="chat_id",
    reach="""(SELECT count(*) FROM groups_stay s WHERE s.chat_id = r.id AND s.customer_id IS NOT NULL
              AND s.joined_at <= d.confirmed_at AND (s.left_at IS NULL OR s.left_at > d.confirmed_at))""",
)
