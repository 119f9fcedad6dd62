-- Purpose: the additive measures of each campaign by day, computed from the master.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience, attribution,
--   campaign_id, campaign_name, date.
-- Reads: primary_day.
-- Params: none.
with
primary_day as (
    select * from primary_day
),

final as (
    select
        source,
        account,
        breakdown,
        currency,
        platform,
        target_audience,
        attribution,
        campaign_id,
        campaign_name,
        date,
        largest_spend,
        unnest(sums(primary_day)) as sums
    from primary_day
    group by
        source,
        account,
        breakdown,
        currency,
        platform,
        target_audience,
        attribution,
        campaign_id,
        campaign_name,
        date,
        largest_spend
)

select * from final
