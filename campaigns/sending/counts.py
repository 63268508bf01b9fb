"""What a dispatch's row repeats from its deliveries, refreshed by every verb that writes those."""

from collections.abc import Sequence

from django.db import connection

_REFRESH = """
UPDATE campaigns_dispatch d
SET count_sent = s.sent, count_not_friend = s.not_friend, count_over_quota = s.over_quota, count_refused = s.refused,
    count_unconfirmed = s.unconfirmed, count_cancelled = s.cancelled, count_excluded = s.excluded, reach = s.reach,
    changed_at = statement_timestamp()
FROM (
    SELECT dispatch_id,
           count(*) FILTER (WHERE state = 'sent') AS sent,
           count(*) FILTER (WHERE state = 'not_friend') AS not_friend,
           count(*) FILTER (WHERE state = 'over_quota') AS over_quota,
           count(*) FILTER (WHERE state = 'refused') AS refused,
           count(*) FILTER (WHERE state = 'unconfirmed') AS unconfirmed,
           count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE state = 'excluded') AS excluded,
           coalesce(sum(reach), 0) AS reach
    FROM campaigns_delivery WHERE dispatch_id = ANY (%s) GROUP BY dispatch_id
) s WHERE s.dispatch_id = d.id
"""


def refresh_counts(dispatches: Sequence[int]) -> None:
    """Counts the deliveries of these dispatches anew, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, [list(dispatches)])
