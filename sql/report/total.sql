-- Purpose: the headline of the HTML report: what a period cost and brought.
-- Grain: one row per currency.
-- Reads: facts.
-- Params: start, end.
with
facts as (
    select * from facts($start, $end, null, null, null, null)
),

final as (
    select
        currency,
        unnest(measures(facts)) as measures
    from facts
    group by currency
)

select * from final
order by currency asc nulls last
