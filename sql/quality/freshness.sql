-- Purpose: the newest day that each source has rows of, among the sources that had some in the four
--   weeks before a day.
-- Grain: one row per source.
-- Reads: rollup.
-- Params: $day (the run's day; later dates do not count).
with
rollup as (
    select * from rollup
),

final as (
    select
        cast(source as varchar) as source,
        cast(max(date) as date) as newest
    from rollup
    where
        date <= cast($day as date)
        and date > cast($day as date) - 28
    group by source
)

select * from final
order by source
