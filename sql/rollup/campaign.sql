-- Purpose: the additive measures of each campaign by month, of the breakdown that counts on each
--   day.
-- Grain: one row per source, account, breakdown, currency, platform, campaign_id, campaign_name,
--   month (its first day).
-- Reads: unrolled_campaigns, canonical rows of one or more whole partitions of the master;
--   chosen_breakdown.
-- Params: none.
with
unrolled_campaigns as (
    select * from unrolled_campaigns
),

chosen_breakdown as (
    select * from chosen_breakdown
),

counted as (
    select unrolled_campaigns.*
    from unrolled_campaigns
    inner join chosen_breakdown
        on
            unrolled_campaigns.source is not distinct from chosen_breakdown.source
            and unrolled_campaigns.account is not distinct from chosen_breakdown.account
            and unrolled_campaigns.date = chosen_breakdown.date
            and unrolled_campaigns.breakdown is not distinct from chosen_breakdown.breakdown
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
        cast(date_trunc('month', date) as date) as month,
        cast(max(date) as date) as last_date,
        unnest(sums(counted)) as sums
    from counted
    group by
        source,
        account,
        breakdown,
        currency,
        platform,
        campaign_id,
        campaign_name,
        cast(date_trunc('month', date) as date)
)

select * from final
