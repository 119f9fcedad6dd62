-- Purpose: what each day cost and brought, and how that changed against the day before.
-- Grain: one row per day (YYYY-MM-DD) and currency.
-- Reads: periods.
-- Params: start, end, platform, audience, campaign, source.
with
periods as (
    select *
    from
        periods('day', $start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        cast(period as date) as day,
        * exclude (period, previous_period)
    from periods
)

select * from final
order by
    day asc,
    currency asc nulls last
