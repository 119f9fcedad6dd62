-- Purpose: what each audience cost and brought on each platform.
-- Grain: one row per platform, target_audience and currency.
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        platform,
        target_audience,
        currency,
        unnest(measures(facts)) as measures
    from facts
    group by
        platform,
        target_audience,
        currency
)

select * from final
order by
    platform asc nulls last,
    target_audience asc nulls last,
    currency asc nulls last
