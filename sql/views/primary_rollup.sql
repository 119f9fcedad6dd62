-- Purpose: the part of the rollup that KPIs may add up. Breakdowns of the same spend are never
--   added together: for each source, account and day one counts. That is '' (not split) where
--   there is one, else the one that the source's contract prefers, else the one with the largest
--   spend; `largest_spend` flags the last case.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience, date.
-- Reads: rollup; ledger, whose coverage says which breakdown a contract prefers.
-- Params: none.
with
rollup as (
    select * from rollup
),

ledger as (
    select * from ledger
),

spoken as (
    select
        source,
        unnest(coverage) as part
    from ledger
),

preferred as (
    select distinct
        spoken.source,
        part.breakdown
    from spoken
    where part.is_primary
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

ranked as (
    select
        breakdowns.source,
        breakdowns.account,
        breakdowns.date,
        breakdowns.breakdown,
        breakdowns.spend,
        preferred.breakdown is not null as is_preferred
    from breakdowns
    left join preferred
        on
            breakdowns.source = preferred.source
            and breakdowns.breakdown = preferred.breakdown
),

chosen as (
    select
        source,
        account,
        date,
        breakdown,
        is_preferred
    from ranked
    qualify
        row_number() over (
            partition by source, account, date
            order by
                breakdown = '' desc,
                is_preferred desc,
                spend desc nulls last,
                breakdown asc
        ) = 1
),

final as (
    select
        rollup.*,
        cast(
            rollup.breakdown <> '' and not chosen.is_preferred as boolean
        ) as largest_spend
    from rollup
    inner join chosen
        on
            rollup.source is not distinct from chosen.source
            and rollup.account is not distinct from chosen.account
            and rollup.date = chosen.date
            and rollup.breakdown is not distinct from chosen.breakdown
)

select * from final
