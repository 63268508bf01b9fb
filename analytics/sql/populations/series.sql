-- Intent: how many distinct {who} are there at each of %(moments)s (ascending), out of the periods of {table}. Who is there
--   from before the first moment to after the last counts once; of the others, overlapping periods are joined into
--   islands (gaps and islands), which begin and end between two moments.
-- Indexes: two passes over the ledger; follow_of_customer and stay_of_customer for those who come or go meanwhile.
-- Evidence: tests/analytics/test_definitions.py (equals the population at each moment), tests/benchmarks/fill.py.
WITH steady AS (
    SELECT count(DISTINCT {who}) AS number FROM {table} p
    WHERE {begin} < %(first)s AND ({end} IS NULL OR {end} >= %(last)s) AND {condition}
), moving AS (
    SELECT who, b, e, max(e) OVER (PARTITION BY who ORDER BY b, e ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
    FROM (
        SELECT {who} AS who, {begin} AS b, coalesce({end}, 'infinity'::timestamptz) AS e FROM {table} p
        WHERE {begin} < %(last)s AND ({end} IS NULL OR {end} >= %(first)s)
          AND NOT ({begin} < %(first)s AND ({end} IS NULL OR {end} >= %(last)s)) AND {condition}
          AND NOT EXISTS (
              SELECT 1 FROM {table} q
              WHERE {same} AND {q_begin} < %(first)s AND ({q_end} IS NULL OR {q_end} >= %(last)s) AND {q_condition}
              OFFSET 0
          )
    ) period
), numbered AS (
    SELECT who, b, e, count(*) FILTER (WHERE reach IS NULL OR reach < b) OVER (PARTITION BY who ORDER BY b, e) AS island
    FROM moving
), island AS (
    SELECT min(b) AS b, max(e) AS e FROM numbered GROUP BY who, island
), step AS (
    SELECT width_bucket(b, %(moments)s::timestamptz[]) AS after, 1 AS change FROM island
    UNION ALL SELECT width_bucket(e, %(moments)s::timestamptz[]), -1 FROM island
), total AS (
    SELECT after, sum(change) AS change FROM step GROUP BY after
)
SELECT i, (SELECT number FROM steady) + coalesce((SELECT sum(change) FROM total WHERE after < i), 0)
FROM generate_series(1, array_length(%(moments)s::timestamptz[], 1)) AS i ORDER BY i
