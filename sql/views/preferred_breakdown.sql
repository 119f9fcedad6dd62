-- Purpose: the breakdown that a source's contract prefers where no row is without one.
-- Grain: one row per source and breakdown.
-- Reads: ledger, whose coverage says it.
-- Params: none.
with
ledger as (
    select * from ledger
),

spoken as (
    select
        source,
        unnest(coverage) as part
    from ledger
),

final as (
    select distinct
        cast(spoken.source as varchar) as source,
        cast(part.breakdown as varchar) as breakdown
    from spoken
    where part.is_primary
)

select * from final
order by
    source asc nulls last,
    breakdown asc nulls last
