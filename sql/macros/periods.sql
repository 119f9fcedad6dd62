-- Purpose: what each day, week or month cost and brought, and the change against the one before in
--   the calendar. Where that has no rows, or the filters leave it out, there is no change.
-- Grain: one row per period (its first day) and currency.
-- Reads: facts.
-- Params: unit: day, week or month; only_*: as for `facts`.
create or replace macro periods(
    unit, only_start, only_end, only_platform, only_audience, only_campaign, only_source
) as table
    with
    facts as (
        select *
        from
            facts(
                only_start, only_end, only_platform, only_audience, only_campaign, only_source
            )
    ),

    dated as (
        select
            cast(date_trunc(unit, date) as date) as period,
            *
        from facts
    ),

    current as (
        select
            period,
            cast(date_trunc(unit, period - 1) as date) as previous_period,
            currency,
            unnest(measures(dated)) as measures
        from dated
        group by
            period,
            currency
    ),

    final as (
        select
            current.*,
            -- The rows themselves are the arguments, which the linter takes for columns.
            unnest(changes(current, earlier)) as changes  -- noqa: references.qualification
        from current
        left join current as earlier
            on
                current.previous_period = earlier.period
                and current.currency is not distinct from earlier.currency
    )

    select * from final
