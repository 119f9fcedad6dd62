-- Purpose: how long each audience watched, and what it cost and brought. avg_view_time is the
--   mean of rows in minutes (as the original program has it), avg_view_time_weighted the mean of
--   views where these are known. The other ratios are those of platform.sql.
-- Grain: one row per target_audience and currency; money of two currencies is never added.
-- Reads: primary_rollup.
-- Params: none.
with
primary_rollup as (
    select * from primary_rollup
),

sums as (
    select
        target_audience,
        currency,
        cast(sum(view_time_sum) as decimal(38, 6)) as view_time_sum,
        cast(sum(view_time_rows) as hugeint) as view_time_rows,
        cast(sum(view_time_weighted) as decimal(38, 6)) as view_time_weighted,
        cast(sum(view_time_views) as hugeint) as view_time_views,
        cast(sum(spend) as decimal(38, 6)) as spend,
        cast(sum(clicks) as hugeint) as clicks,
        cast(sum(impressions) as hugeint) as impressions,
        cast(sum(conversions) as decimal(38, 6)) as conversions,
        cast(sum(revenue) as decimal(38, 6)) as revenue
    from primary_rollup
    group by
        target_audience,
        currency
),

final as (
    select
        target_audience,
        currency,
        cast(view_time_sum as double) / nullif(cast(view_time_rows as double), 0) as avg_view_time,
        cast(view_time_weighted as double)
        / nullif(cast(view_time_views as double), 0) as avg_view_time_weighted,
        spend,
        clicks,
        impressions,
        cast(spend as double) / nullif(cast(clicks as double), 0) as cpc,
        cast(clicks as double) / nullif(cast(impressions as double), 0) as ctr,
        1000 * cast(spend as double) / nullif(cast(impressions as double), 0) as cpm,
        cast(conversions as double) / nullif(cast(clicks as double), 0) as cvr,
        cast(spend as double) / nullif(cast(conversions as double), 0) as cpa,
        cast(revenue as double) / nullif(cast(spend as double), 0) as roas,
        cast(revenue - spend as double) / nullif(cast(spend as double), 0) as roi,
        conversions,
        revenue
    from sums
)

select * from final
order by
    avg_view_time desc nulls last,
    target_audience asc nulls last,
    currency asc nulls last
