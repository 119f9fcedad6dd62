-- Purpose: the sums that the HTML report filters and adds up again in its reader's browser. Where
--   there are more than $cells of them, only the newest days that fit, and never less than one.
-- Grain: one row per currency, date, platform and target_audience.
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source, cells.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

sums as (
    select
        currency,
        date,
        platform,
        target_audience,
        cast(sum(spend) as decimal(38, 6)) as spend,
        cast(sum(revenue) as decimal(38, 6)) as revenue,
        cast(sum(conversions) as decimal(38, 6)) as conversions,
        cast(sum(clicks) as hugeint) as clicks,
        cast(sum(impressions) as hugeint) as impressions,
        cast(sum(earning_spend) as decimal(38, 6)) as earning_spend,
        cast(sum(converting_spend) as decimal(38, 6)) as converting_spend,
        cast(sum(converting_clicks) as hugeint) as converting_clicks,
        cast(sum(view_time_sum) as decimal(38, 6)) as view_time_sum,
        cast(sum(view_time_rows) as hugeint) as view_time_rows,
        cast(sum(view_time_weighted) as decimal(38, 6)) as view_time_weighted,
        cast(sum(view_time_views) as hugeint) as view_time_views
    from facts
    group by
        currency,
        date,
        platform,
        target_audience
),

days as (
    select
        date,
        sum(count(*)) over (order by date desc) as cells,
        row_number() over (order by date desc) as place
    from sums
    group by date
),

final as (
    select
        sums.*,
        cast(max(days.cells) over () > $cells as boolean) as cut
    from sums
    inner join days
        on sums.date = days.date
    qualify
        days.cells <= $cells
        or days.place = 1
)

select * from final
order by
    currency asc nulls last,
    date asc,
    platform asc nulls last,
    target_audience asc nulls last
