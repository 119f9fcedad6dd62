-- Purpose: the additive measures of one version: from its rollup files, and computed from the
--   master where a partition has none.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience,
--   attribution, date.
-- Reads: stored_rollup, computed_rollup (sql/rollup/daily.sql over the other partitions).
-- Params: none.
with
stored_rollup as (
    select * from stored_rollup
),

computed_rollup as (
    select * from computed_rollup
),

final as (
    select * from stored_rollup
    union all by name
    select * from computed_rollup
)

select * from final
