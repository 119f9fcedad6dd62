-- Purpose: how much is in quarantine, by rule; `example` is the first value that was refused.
-- Grain: one row per rule.
-- Reads: quarantine.
-- Params: none.
with
quarantine as (
    select * from quarantine
),

final as (
    select
        rule,
        cast(count(distinct path) as bigint) as files,
        cast(count(line) as bigint) as refused_rows,
        cast(min(path) as varchar) as first_path,
        cast(arg_min(value, (path, line)) as varchar) as example
    from quarantine
    group by rule
)

select * from final
order by
    refused_rows desc,
    rule asc nulls last
