-- Purpose: the rejected rows, with the rule that each broke.
-- Grain: one row per file (path) and place in it (line).
-- Reads: reject_rows, which is read_parquet over exactly the files that the ledger names.
-- Params: none.
with
reject_rows as (
    select * from reject_rows
),

final as (
    select
        cast(path as varchar) as path,
        cast(line as bigint) as line,
        cast(rule as varchar) as rule,
        cast("column" as varchar) as "column",
        cast(value as varchar) as value,
        cast(expected as varchar) as expected,
        cast(raw as varchar) as raw
    from reject_rows
)

select * from final
