-- Purpose: the additive measures of one version: from its rollup files, and computed from the
--   master where a partition has none.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience,
--   attribution, date.
-- Reads: stored_rollup, computed_rollup (sql/rollup/daily.sql over the other partitions).
-- Params: none.
with
stored_rollup as (
    select * from stored_rollup
),

computed_rollup as (
    select * from computed_rollup
),

partitions as (
    select * from stored_rollup
    union all by name
    select * from computed_rollup
),

final as (
    select
        cast(source as varchar) as source,
        cast(account as varchar) as account,
        cast(breakdown as varchar) as breakdown,
        cast(currency as varchar) as currency,
        cast(platform as varchar) as platform,
        cast(target_audience as varchar) as target_audience,
        cast(attribution as varchar) as attribution,
        cast(date as date) as date,
        cast(rows as bigint) as rows,
        cast(spend as decimal(38, 6)) as spend,
        cast(impressions as decimal(38, 0)) as impressions,
        cast(clicks as decimal(38, 0)) as clicks,
        cast(revenue as decimal(38, 6)) as revenue,
        cast(conversions as decimal(38, 6)) as conversions,
        cast(video_views as decimal(38, 0)) as video_views,
        cast(view_time_sum as decimal(38, 6)) as view_time_sum,
        cast(view_time_rows as bigint) as view_time_rows,
        cast(view_time_weighted as decimal(38, 6)) as view_time_weighted,
        cast(view_time_views as decimal(38, 0)) as view_time_views
    from partitions
)

select * from final
