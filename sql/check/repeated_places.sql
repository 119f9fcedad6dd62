-- Purpose: what the master may never hold: two rows of one place, or a row outside its month.
-- Grain: one row a place that is there more than once, or in the wrong month.
-- Reads: month_rows, canonical rows of one partition of the master.
-- Params: $month, the partition as YYYY-MM.
with
month_rows as (
    select * from month_rows
),

places as (
    select
        *,
        -- A campaign is known by its id, and by its name only where it has none.
        case when campaign_id is null then campaign_name end as unnumbered_name
    from month_rows
),

final as (
    select
        cast(source as varchar) as source,
        cast(account as varchar) as account,
        cast(date as date) as date,
        cast(coalesce(campaign_id, unnumbered_name) as varchar) as campaign,
        cast(count(*) as bigint) as rows
    from places
    group by
        source,
        account,
        breakdown,
        segment,
        campaign_id,
        unnumbered_name,
        date,
        platform,
        target_audience
    having count(*) > 1 or strftime(date, '%Y-%m') <> $month
)

select * from final
order by
    date,
    source,
    account,
    campaign
limit 3
