-- Purpose: the additive measures of each campaign by month: from rollup files, and computed from
--   the master where a partition has none.
-- Grain: one row per source, account, breakdown, currency, platform, campaign_id, campaign_name,
--   month (its first day).
-- Reads: stored_campaigns, computed_campaigns (sql/rollup/campaign.sql over the other partitions).
-- Params: none.
with
stored_campaigns as (
    select * from stored_campaigns
),

computed_campaigns as (
    select * from computed_campaigns
),

partitions as (
    select * from stored_campaigns
    union all by name
    select * from computed_campaigns
),

final as (
    select
        cast(source as varchar) as source,
        cast(account as varchar) as account,
        cast(breakdown as varchar) as breakdown,
        cast(currency as varchar) as currency,
        cast(platform as varchar) as platform,
        cast(campaign_id as varchar) as campaign_id,
        cast(campaign_name as varchar) as campaign_name,
        cast(month as date) as month,
        cast(last_date as date) as last_date,
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
