-- Purpose: the canonical rows of one version of the master table.
-- Grain: one row per source, account, breakdown, segment, campaign, date, platform, audience.
-- Reads: master_rows, which is read_parquet over exactly the files of that version.
-- Params: none.
with
master_rows as (
    select * from master_rows
),

final as (
    select
        cast(source as varchar) as source,
        cast(account as varchar) as account,
        cast(campaign_id as varchar) as campaign_id,
        cast(campaign_name as varchar) as campaign_name,
        cast(platform as varchar) as platform,
        cast(target_audience as varchar) as target_audience,
        cast(currency as varchar) as currency,
        cast(breakdown as varchar) as breakdown,
        cast(segment as varchar) as segment,
        cast(attribution as varchar) as attribution,
        cast(date as date) as date,
        cast(impressions as bigint) as impressions,
        cast(clicks as bigint) as clicks,
        cast(cost as decimal(18, 6)) as cost,
        cast(revenue as decimal(18, 6)) as revenue,
        cast(conversions as decimal(18, 6)) as conversions,
        cast(video_view_time as decimal(18, 6)) as video_view_time,
        cast(video_views as bigint) as video_views,
        cast(reported_ctr as decimal(18, 6)) as reported_ctr,
        cast(reported_cpc as decimal(18, 6)) as reported_cpc,
        cast(delivered_at as timestamptz) as delivered_at,
        cast(delivery_id as varchar) as delivery_id,
        cast(line as bigint) as line
    from master_rows
)

select * from final
