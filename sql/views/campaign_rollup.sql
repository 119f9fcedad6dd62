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

final as (
    select * from stored_campaigns
    union all by name
    select * from computed_campaigns
)

select * from final
