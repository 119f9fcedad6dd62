-- Purpose: which part of the spend and of the revenue each platform and each audience has.
-- Grain: one row per dimension (platform, audience), name in it, and currency.
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

named as (
    select
        cast('platform' as varchar) as dimension,
        platform as name,
        *
    from facts
    union all by name
    select
        cast('audience' as varchar) as dimension,
        target_audience as name,
        *
    from facts
),

sums as (
    select
        dimension,
        name,
        currency,
        cast(sum(spend) as decimal(38, 6)) as spend,
        cast(sum(revenue) as decimal(38, 6)) as revenue
    from named
    group by
        dimension,
        name,
        currency
),

final as (
    select
        dimension,
        name,
        currency,
        spend,
        -- fraction: spend / spend of all names of the dimension, in this currency
        ratio(spend, sum(spend) over (partition by dimension, currency)) as share_of_spend,
        revenue,
        -- fraction: revenue / revenue of all names of the dimension, in this currency
        ratio(revenue, sum(revenue) over (partition by dimension, currency)) as share_of_revenue
    from sums
)

select * from final
order by
    dimension desc,
    currency asc nulls last,
    spend desc nulls last,
    name asc nulls last
