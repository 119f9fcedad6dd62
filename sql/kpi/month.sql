-- Purpose: what each month cost and brought, and how that changed against the month before.
-- Grain: one row per month (YYYY-MM) and currency.
-- Reads: periods.
-- Params: start, end, platform, audience, campaign, source.
with
periods as (
    select *
    from
        periods('month', $start, $end, $platform, $audience, $campaign, $source)
),

final as (
    select
        cast(strftime(period, '%Y-%m') as varchar) as month,
        * exclude (period, previous_period)
    from periods
)

select * from final
order by
    month asc,
    currency asc nulls last
