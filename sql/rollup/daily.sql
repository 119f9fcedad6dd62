-- Purpose: the additive measures that KPIs are made from. Every sum is null where all its parts
--   are, and wide enough never to overflow.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience, date.
-- Reads: unrolled_rows, canonical rows of one or more whole partitions of the master.
-- Params: none.
with
unrolled_rows as (
    select * from unrolled_rows
),

measures as (
    select
        *,
        -- The weighted mean view time takes only rows where both of its parts are known.
        case when video_views is not null then video_view_time end as weighable_view_time,
        case when video_view_time is not null then video_views end as weighing_views
    from unrolled_rows
),

final as (
    select
        cast(source as varchar) as source,
        cast(account as varchar) as account,
        cast(breakdown as varchar) as breakdown,
        cast(currency as varchar) as currency,
        cast(platform as varchar) as platform,
        cast(target_audience as varchar) as target_audience,
        cast(date as date) as date,
        cast(count(*) as bigint) as rows,
        cast(sum(cost) as decimal(38, 6)) as spend,
        cast(sum(impressions) as decimal(38, 0)) as impressions,
        cast(sum(clicks) as decimal(38, 0)) as clicks,
        cast(sum(revenue) as decimal(38, 6)) as revenue,
        cast(sum(conversions) as decimal(38, 6)) as conversions,
        cast(sum(video_views) as decimal(38, 0)) as video_views,
        cast(sum(video_view_time) as decimal(38, 6)) as view_time_sum,
        cast(count(video_view_time) as bigint) as view_time_rows,
        cast(
            sum(weighable_view_time * cast(weighing_views as decimal(19, 0))) as decimal(38, 6)
        ) as view_time_weighted,
        cast(sum(weighing_views) as decimal(38, 0)) as view_time_views
    from measures
    group by
        source,
        account,
        breakdown,
        currency,
        platform,
        target_audience,
        date
)

select * from final
order by
    date,
    source,
    account,
    breakdown,
    currency,
    platform,
    target_audience
