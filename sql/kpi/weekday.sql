-- Purpose: what each day of the week cost and brought.
-- Grain: one row per weekday (1 is Monday) and currency.
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        cast(isodow(date) as bigint) as weekday,
        -- text: in English
        cast(dayname(date) as varchar) as weekday_name,
        currency,
        -- count: days of this weekday that have rows
        cast(count(distinct date) as bigint) as days,
        -- money: spend / days
        ratio(sum(spend), count(distinct date)) as spend_per_day,
        unnest(measures(facts)) as measures
    from facts
    group by
        cast(isodow(date) as bigint),
        cast(dayname(date) as varchar),
        currency
)

select * from final
order by
    weekday asc,
    currency asc nulls last
