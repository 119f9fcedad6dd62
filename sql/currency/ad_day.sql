-- Purpose: the canonical rows of one version with their money in one currency. Cost and revenue of
--   a row are converted by one rate, and not rounded before they are added up.
-- Grain: as ad_day.
-- Reads: native_day (ad_day as delivered), daily_rates, wanted_currency.
-- Params: none.
with
native_day as (
    select * from native_day
),

daily_rates as (
    select * from daily_rates
),

wanted_currency as (
    select * from wanted_currency
),

final as (
    select
        native_day.* replace (
            wanted_currency.currency as currency,
            cast(native_day.cost * daily_rates.rate as decimal(38, 18)) as cost,
            cast(native_day.revenue * daily_rates.rate as decimal(38, 18)) as revenue,
            cast(native_day.reported_cpc * daily_rates.rate as decimal(38, 18)) as reported_cpc
        )
    from native_day
    inner join daily_rates
        on
            native_day.currency = daily_rates.currency
            and native_day.date = daily_rates.date
    cross join wanted_currency
)

select * from final
