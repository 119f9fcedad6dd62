-- Purpose: the canonical rows of one version with their money in one currency. Cost and revenue of
--   a row are converted by one rate, and not rounded before they are added up. Of a day that is
--   not asked for no rate is known and no sum is made: its money is 0, so that it still tells
--   which accounts state revenue.
-- Grain: as ad_day.
-- Reads: native_day (ad_day as delivered), daily_rates, conversion.
-- Params: none.
with
native_day as (
    select * from native_day
),

daily_rates as (
    select * from daily_rates
),

conversion as (
    select currency from conversion
),

rated as (
    select
        native_day.*,
        conversion.currency as wanted,
        coalesce(daily_rates.rate, cast(0 as decimal(20, 12))) as rate
    from native_day
    cross join conversion
    left join daily_rates
        on
            native_day.currency = daily_rates.currency
            and native_day.date = daily_rates.date
),

final as (
    select
        * exclude (wanted, rate) replace (
            wanted as currency,
            cast(cost * rate as decimal(38, 18)) as cost,
            cast(revenue * rate as decimal(38, 18)) as revenue,
            cast(reported_cpc * rate as decimal(38, 18)) as reported_cpc
        )
    from rated
)

select * from final
