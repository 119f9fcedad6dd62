-- Purpose: by which rate the money of each day is converted: the newest that is dated on the day
--   or before it, of the last seven days; null where there is none.
-- Grain: one row per currency and date of the master.
-- Reads: native_day; rates (date, currency, rate: how much one of its money is in the currency
--   that is asked for); wanted_currency.
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

wanted_currency as (
    select currency as wanted from wanted_currency
),

dated as (
    select
        native_day.currency,
        native_day.date,
        native_day.currency = wanted_currency.wanted as is_wanted,
        rates.rate,
        case when native_day.date - rates.rate_date <= 7 then rates.rate_date end as rate_date
    from native_day
    cross join wanted_currency
    asof left join rates
        on
            native_day.currency = rates.currency
            and native_day.date >= rates.rate_date
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
