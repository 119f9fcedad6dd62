-- Purpose: the sums that a KPI is made from, less what its filters leave out. Beside revenue and
--   conversions stands the spend of those accounts that state them.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience,
--   attribution, date; with a campaign asked for, only its part of these, one row for each id
--   and name that it goes by.
-- Reads: primary_rollup; campaign_day where a campaign is asked for; stated.
-- Params: only_*: the first and last day, and names; null takes all.
create or replace macro facts(
    only_start, only_end, only_platform, only_audience, only_campaign, only_source
) as table
    with
    primary_rollup as (
        select * from primary_rollup
        where only_campaign is null
    ),

    campaign_day as (
        select * exclude (campaign_id, campaign_name) from campaign_day
        where campaign_id = only_campaign or campaign_name = only_campaign
    ),

    stated as (
        select * from stated
    ),

    days as (
        select * from primary_rollup
        union all by name
        select * from campaign_day
    ),

    wanted as (
        select * from days
        where
            (only_start is null or date >= only_start)
            and (only_end is null or date <= only_end)
            and (only_platform is null or platform = only_platform)
            and (only_audience is null or target_audience = only_audience)
            and (only_source is null or source = only_source)
    ),

    final as (
        select
            wanted.*,
            -- The rows themselves are the arguments, which the linter takes for columns.
            unnest(stating(wanted, stated)) as stating  -- noqa: references.qualification
        from wanted
        inner join stated
            on
                wanted.source is not distinct from stated.source
                and wanted.account is not distinct from stated.account
    )

    select * from final
