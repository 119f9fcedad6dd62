-- Purpose: which accounts state revenue and conversions at all. A platform's export leaves the
--   cell empty where there was none, so one row that states a figure speaks for its account.
-- Grain: one row per source and account.
-- Reads: primary_rollup.
-- Params: none.
with
primary_rollup as (
    select * from primary_rollup
),

final as (
    select
        source,
        account,
        cast(count(revenue) > 0 as boolean) as revenue,
        cast(count(conversions) > 0 as boolean) as conversions
    from primary_rollup
    group by
        source,
        account
)

select * from final
