-- Purpose: what each platform cost and brought.
-- Grain: one row per platform and currency.
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        platform,
        currency,
        unnest(measures(facts)) as measures
    from facts
    group by
        platform,
        currency
)

select * from final
order by
    platform asc nulls last,
    currency asc nulls last
