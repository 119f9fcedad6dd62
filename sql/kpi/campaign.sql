-- Purpose: the campaigns, those with the most of a measure first: the top, the bottom, or all.
-- Grain: one row per source, account, campaign (campaign_id, or campaign_name where there is none)
--   and currency; ranks are within a currency.
-- Reads: campaigns.
-- Params: start, end, platform, audience, campaign, source, by, top, bottom.
with
campaigns as (
    select *
    from
        campaigns($start, $end, $platform, $audience, $campaign, $source)
),

valued as (
    select
        *,
        cast(
            case coalesce($by, 'spend')
                when 'spend' then cast(spend as double)
                when 'clicks' then cast(clicks as double)
                when 'impressions' then cast(impressions as double)
                when 'conversions' then cast(conversions as double)
                when 'revenue' then cast(revenue as double)
                when 'ctr' then ctr
                when 'cpc' then cpc
                when 'cvr' then cvr
                when 'cpa' then cpa
                when 'roas' then roas
            end
            as double
        ) as ranked_value
    from campaigns
),

ranked as (
    select
        *,
        row_number() over (
            partition by currency
            order by
                ranked_value desc nulls last,
                source asc nulls last,
                account asc nulls last,
                campaign_id asc nulls last,
                campaign_name asc nulls last
        ) as place,
        count(ranked_value) over (partition by currency) as places
    from valued
),

final as (
    select
        -- count: the place by the measure that is asked for, 1 for the most of it
        cast(place as bigint) as rank,
        * exclude (ranked_value, place, places)
    from ranked
    where
        ($top is null and $bottom is null)
        or place <= $top
        or (place > places - $bottom and place <= places)
)

select * from final
order by
    currency asc nulls last,
    rank asc
