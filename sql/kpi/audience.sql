-- Purpose: how long each audience watched, and what it cost and brought; longest first.
-- Grain: one row per target_audience and currency.
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        target_audience,
        currency,
        unnest(view_times(facts)) as view_times,
        unnest(measures(facts)) as measures
    from facts
    group by
        target_audience,
        currency
)

select * from final
order by
    avg_view_time desc nulls last,
    target_audience asc nulls last,
    currency asc nulls last
