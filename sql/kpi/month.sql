-- Purpose: what each month cost and brought. Ratios are ratios of sums, null where
--   their denominator is 0 or not known; ctr and cvr are fractions, roi = roas - 1.
-- Grain: one row per month and currency; money of two currencies is never added.
-- Reads: primary_rollup.
-- Params: none.
with
primary_rollup as (
    select * from primary_rollup
),

sums as (
    select
        cast(strftime(date, '%Y-%m') as varchar) as month,
        currency,
        cast(sum(spend) as decimal(38, 6)) as spend,
        cast(sum(clicks) as hugeint) as clicks,
        cast(sum(impressions) as hugeint) as impressions,
        cast(sum(conversions) as decimal(38, 6)) as conversions,
        cast(sum(revenue) as decimal(38, 6)) as revenue
    from primary_rollup
    group by
        cast(strftime(date, '%Y-%m') as varchar),
        currency
),

final as (
    select
        month,
        currency,
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
    month asc,
    currency asc nulls last
