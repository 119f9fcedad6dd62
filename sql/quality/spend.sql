-- Purpose: the spend of a day beside that of the day before.
-- Grain: one row per source and currency with rows on both days.
-- Reads: primary_rollup.
-- Params: $day (the run's day).
with
primary_rollup as (
    select * from primary_rollup
),

final as (
    select
        cast(source as varchar) as source,
        cast(currency as varchar) as currency,
        cast(sum(spend) filter (where date = cast($day as date)) as decimal(38, 6)) as spend,
        cast(sum(spend) filter (where date = cast($day as date) - 1) as decimal(38, 6))
            as spend_before
    from primary_rollup
    where date in (cast($day as date), cast($day as date) - 1)
    group by
        source,
        currency
    having
        count(*) filter (where date = cast($day as date)) > 0
        and count(*) filter (where date = cast($day as date) - 1) > 0
)

select * from final
order by
    source,
    currency
