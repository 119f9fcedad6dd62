-- Purpose: the part of the rollup that KPIs may add up. Breakdowns of the same spend are never
--   added together: for each source, account and day one counts. That is '' (not split) where
--   there is one, else the one with the largest spend; `largest_spend` flags the second case.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience, date.
-- Reads: rollup.
-- Params: none.
with
rollup as (
    select * from rollup
),

breakdowns as (
    select
        source,
        account,
        date,
        breakdown,
        sum(spend) as spend
    from rollup
    group by
        source,
        account,
        date,
        breakdown
),

chosen as (
    select
        source,
        account,
        date,
        breakdown
    from breakdowns
    qualify
        row_number() over (
            partition by source, account, date
            order by breakdown = '' desc, spend desc nulls last, breakdown asc
        ) = 1
),

final as (
    select
        rollup.*,
        cast(rollup.breakdown <> '' as boolean) as largest_spend
    from rollup
    inner join chosen
        on
            rollup.source is not distinct from chosen.source
            and rollup.account is not distinct from chosen.account
            and rollup.date = chosen.date
            and rollup.breakdown is not distinct from chosen.breakdown
)

select * from final
