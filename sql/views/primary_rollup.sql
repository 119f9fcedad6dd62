-- Purpose: the part of the rollup that KPIs may add up: for each source, account and day one
--   breakdown.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience,
--   attribution, date.
-- Reads: rollup, chosen_breakdown.
-- Params: none.
with
rollup as (
    select * from rollup
),

chosen_breakdown as (
    select * from chosen_breakdown
),

final as (
    select
        rollup.*,
        chosen_breakdown.largest_spend
    from rollup
    inner join chosen_breakdown
        on
            rollup.source is not distinct from chosen_breakdown.source
            and rollup.account is not distinct from chosen_breakdown.account
            and rollup.date = chosen_breakdown.date
            and rollup.breakdown is not distinct from chosen_breakdown.breakdown
)

select * from final
