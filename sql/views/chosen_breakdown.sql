-- Purpose: which breakdown counts. Breakdowns of the same spend are never added together: for each
--   source, account and day one counts. That is '' (not split) where there is one, else the one
--   that the source's contract prefers, else the one with the largest spend; `largest_spend` flags
--   the last case.
-- Grain: one row per source, account, date.
-- Reads: rollup, preferred_breakdown.
-- Params: none.
with
rollup as (
    select * from rollup
),

preferred_breakdown as (
    select * from preferred_breakdown
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
        preferred_breakdown.breakdown is not null as is_preferred
    from breakdowns
    left join preferred_breakdown
        on
            breakdowns.source = preferred_breakdown.source
            and breakdowns.breakdown = preferred_breakdown.breakdown
),

final as (
    select
        source,
        account,
        date,
        breakdown,
        cast(breakdown <> '' and not is_preferred as boolean) as largest_spend
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
)

select * from final
