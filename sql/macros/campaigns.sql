-- Purpose: what each campaign cost and brought. One that was renamed has its newest name.
-- Grain: one row per source, account, campaign_id (campaign_name where there is none), currency.
-- Reads: campaign_facts.
-- Params: as for `facts`.
create or replace macro campaigns(
    only_start, only_end, only_platform, only_audience, only_campaign, only_source
) as table
    with
    campaign_facts as (
        select *
        from
            campaign_facts(
                only_start, only_end, only_platform, only_audience, only_campaign, only_source
            )
    ),

    final as (
        select
            source,
            account,
            campaign_id,
            cast(
                arg_max(campaign_name, (last_date, campaign_name))
                filter (where campaign_name is not null)
                as varchar
            ) as campaign_name,
            currency,
            unnest(measures(campaign_facts)) as measures,
            -- yes or no: money was spent, and its account counts conversions, but there was none;
            --   of an account that states revenue alone: there was no revenue
            fruitless(campaign_facts) as spend_without_conversions
        from campaign_facts
        group by
            source,
            account,
            campaign_id,
            case when campaign_id is null then campaign_name end,
            currency
    )

    select * from final
