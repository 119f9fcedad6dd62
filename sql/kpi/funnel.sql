-- Purpose: the way from being shown to being paid: impressions, clicks, conversions, revenue, and
--   the rate at which each stage follows from the one before.
-- Grain: one row per currency and step (1 to 4).
-- Reads: facts.
-- Params: start, end, platform, audience, campaign, source.
with
facts as (
    select * from facts($start, $end, $platform, $audience, $campaign, $source)
),

sums as (
    select
        currency,
        unnest(measures(facts)) as measures
    from facts
    group by currency
),

stages as (
    select
        currency,
        unnest([
            {
                'step': 1,
                'stage': 'impressions',
                'value': cast(impressions as decimal(38, 6)),
                'rate': cast(null as double),
                'rate_name': cast(null as varchar)
            },
            {
                'step': 2,
                'stage': 'clicks',
                'value': cast(clicks as decimal(38, 6)),
                'rate': ctr,
                'rate_name': 'ctr'
            },
            {
                'step': 3,
                'stage': 'conversions',
                'value': conversions,
                'rate': cvr,
                'rate_name': 'cvr'
            },
            {
                'step': 4,
                'stage': 'revenue',
                'value': revenue,
                'rate': value_per_conversion,
                'rate_name': 'value_per_conversion'
            }
        ]) as stage
    from sums
),

final as (
    select
        stages.currency,
        cast(stages.stage.step as bigint) as step,
        -- text: the measure that is counted in this step
        cast(stages.stage.stage as varchar) as stage,
        -- count, money for revenue: the measure of the stage's name
        cast(stages.stage.value as decimal(38, 6)) as value,
        -- fraction, money for revenue: the measure that rate_name names
        cast(stages.stage.rate as double) as rate,
        -- text: the measure that is this step by the one before
        cast(stages.stage.rate_name as varchar) as rate_name
    from stages
)

select * from final
order by
    currency asc nulls last,
    step asc
