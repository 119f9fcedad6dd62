-- Purpose: what is in quarantine, as it was delivered and beside it what was expected.
-- Grain: one row per rejected row, and per file that was refused whole (line is null).
-- Reads: quarantine.
-- Params: $path (one file, or null), $rule (one rule, or null), $limit (how many rows).
with
quarantine as (
    select * from quarantine
),

final as (
    select
        path,
        line,
        rule,
        "column",
        value,
        expected,
        raw
    from quarantine
    where
        (path = $path or $path is null)
        and (rule = $rule or $rule is null)
)

select * from final
order by
    path asc,
    line asc nulls first
limit $limit
