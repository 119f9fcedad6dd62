-- Purpose: what each week cost and brought, and how that changed against the week before.
-- Grain: one row per week (the date of its Monday) and currency.
-- Reads: periods.
-- Params: start, end, platform, audience, campaign, source.
with
periods as (
    select *
    from
        periods('week', $start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        cast(period as date) as week,
        * exclude (period, previous_period)
    from periods
)

select * from final
order by
    week asc,
    currency asc nulls last
