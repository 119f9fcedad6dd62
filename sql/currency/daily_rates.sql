-- Purpose: by which rate the money of each day that is asked for is converted: the newest that is
--   dated on the day or before it, of the last seven days; null where there is none.
-- Grain: one row per currency and date of the master, of the days that are asked for.
-- Reads: native_day; rates (date, currency, rate: how much one of its money is in the currency
--   that is asked for); conversion.
-- Params: none.
with
native_day as (
    select distinct
        currency,
        date
    from native_day
),

rates as (
    select
        currency,
        rate,
        date as rate_date
    from rates
),

conversion as (
    select
        first_day,
        last_day,
        currency as wanted
    from conversion
),

asked as (
    select
        native_day.currency,
        native_day.date,
        native_day.currency = conversion.wanted as is_wanted
    from native_day
    cross join conversion
    where
        (conversion.first_day is null or native_day.date >= conversion.first_day)
        and (conversion.last_day is null or native_day.date <= conversion.last_day)
),

dated as (
    select
        asked.currency,
        asked.date,
        asked.is_wanted,
        rates.rate,
        case when asked.date - rates.rate_date <= 7 then rates.rate_date end as rate_date
    from asked
    asof left join rates
        on
            asked.currency = rates.currency
            and asked.date >= rates.rate_date
),

final as (
    select
        currency,
        date,
        cast(case when not is_wanted then rate_date end as date) as rate_date,
        cast(
            case when is_wanted then 1 when rate_date is not null then rate end
            as decimal(20, 12)
        ) as rate
    from dated
)

select * from final
