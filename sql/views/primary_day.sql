-- Purpose: the canonical rows that KPIs may add up: for each source, account and day one breakdown.
-- Grain: one row per source, account, breakdown, segment, campaign, date, platform, audience.
-- Reads: ad_day, chosen_breakdown.
-- Params: none.
with
ad_day as (
    select * from ad_day
),

chosen_breakdown as (
    select * from chosen_breakdown
),

final as (
    select
        ad_day.*,
        chosen_breakdown.largest_spend
    from ad_day
    inner join chosen_breakdown
        on
            ad_day.source is not distinct from chosen_breakdown.source
            and ad_day.account is not distinct from chosen_breakdown.account
            and ad_day.date = chosen_breakdown.date
            and ad_day.breakdown is not distinct from chosen_breakdown.breakdown
)

select * from final
