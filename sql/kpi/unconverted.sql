-- Purpose: the campaigns that spent money without one conversion, the most expensive first.
--   Of accounts that state revenue alone, those without revenue; accounts that state neither are
--   left out: what they brought is not known.
-- Grain: one row per source, account, campaign (campaign_id, or campaign_name where there is none)
--   and currency.
-- Reads: campaigns.
-- Params: start, end, platform, audience, campaign, source, top.
with
campaigns as (
    select *
    from
        campaigns($start, $end, $platform, $audience, $campaign, $source)
),

ranked as (
    select
        *,
        row_number() over (
            partition by currency
            order by
                spend desc nulls last,
                source asc nulls last,
                account asc nulls last,
                campaign_id asc nulls last,
                campaign_name asc nulls last
        ) as place
    from campaigns
    where spend_without_conversions
),

final as (
    select
        cast(place as bigint) as rank,
        source,
        account,
        campaign_id,
        campaign_name,
        currency,
        spend,
        clicks,
        impressions,
        cpc,
        ctr
    from ranked
    where $top is null or place <= $top
)

select * from final
order by
    currency asc nulls last,
    rank asc
