-- Purpose: the sums that a KPI of campaigns is made from, less what its filters leave out: of whole
--   months from the rollup, and of those that the filters cut from the master's days. The rollup
--   knows no audiences, so all that is of one comes from these days.
-- Grain: one row per source, account, breakdown, currency, platform, campaign_id, campaign_name,
--   and whole month; and one for all days that are of none.
-- Reads: campaign_rollup; primary_day where a month is cut or an audience asked for; stated.
-- Params: as for `facts`.
create or replace macro campaign_facts(
    only_start, only_end, only_platform, only_audience, only_campaign, only_source
) as table
    with
    whole_months as (
        select * exclude (month) from campaign_rollup
        where
            only_audience is null
            and (only_start is null or month >= only_start)
            and (only_end is null or last_day(month) <= only_end)
    ),

    -- All days of an audience.
    audience_days as (
        select * from primary_day
        where
            target_audience = only_audience
            and (only_start is null or date >= only_start)
            and (only_end is null or date <= only_end)
    ),

    -- The first day of a month opens it whole, so nothing of it is left for this part.
    first_cut as (
        select * from primary_day
        where
            only_audience is null
            and date >= only_start
            and date <= last_day(cast(only_start as date))
            and date <= coalesce(only_end, date)
            and (
                only_start > date_trunc('month', cast(only_start as date))
                or only_end < last_day(cast(only_start as date))
            )
    ),

    last_cut as (
        select * from primary_day
        where
            only_audience is null
            and date <= only_end
            and date >= date_trunc('month', cast(only_end as date))
            and only_end < last_day(cast(only_end as date))
            and (
                only_start is null
                or date_trunc('month', cast(only_end as date)) > last_day(cast(only_start as date))
            )
    ),

    days as (
        select * from audience_days
        union all by name
        select * from first_cut
        union all by name
        select * from last_cut
    ),

    summed_days as (
        select
            source,
            account,
            breakdown,
            currency,
            platform,
            campaign_id,
            campaign_name,
            cast(max(date) as date) as last_date,
            unnest(sums(days)) as sums
        from days
        group by
            source,
            account,
            breakdown,
            currency,
            platform,
            campaign_id,
            campaign_name
    ),

    parts as (
        select * from whole_months
        union all by name
        select * from summed_days
    ),

    wanted as (
        select * from parts
        where
            (only_platform is null or platform = only_platform)
            and (
                only_campaign is null
                or campaign_id = only_campaign
                or campaign_name = only_campaign
            )
            and (only_source is null or source = only_source)
    ),

    stated as (
        select * from stated
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
