-- Purpose: the additive measures that KPIs are made from.
-- Grain: one row per source, account, breakdown, currency, platform, target_audience,
--   attribution, date.
-- Reads: unrolled_rows, canonical rows of one or more whole partitions of the master.
-- Params: none.
with
unrolled_rows as (
    select * from unrolled_rows
),

final as (
    select
        cast(source as varchar) as source,
        cast(account as varchar) as account,
        cast(breakdown as varchar) as breakdown,
        cast(currency as varchar) as currency,
        cast(platform as varchar) as platform,
        cast(target_audience as varchar) as target_audience,
        cast(attribution as varchar) as attribution,
        cast(date as date) as date,
        unnest(sums(unrolled_rows)) as sums
    from unrolled_rows
    group by
        source,
        account,
        breakdown,
        currency,
        platform,
        target_audience,
        attribution,
        date
)

select * from final
