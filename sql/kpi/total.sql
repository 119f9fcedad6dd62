-- Purpose: what was spent in all, and what it brought.
-- Grain: one row per currency.
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        currency,
        -- date: the first day that has rows
        cast(min(date) as date) as first_day,
        -- date: the last day that has rows
        cast(max(date) as date) as last_day,
        unnest(measures(facts)) as measures
    from facts
    group by currency
)

select * from final
order by currency asc nulls last
