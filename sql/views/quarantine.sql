-- Purpose: the rejected rows, with the rule that each broke. What a later judgement of the same
--   file took the place of is left out.
-- Grain: one row per file (path) and place in it (line); line is null where the whole file was
--   refused.
-- Reads: reject_rows, which is read_parquet over exactly the files that the ledger names; ledger.
-- Params: none.
with
reject_rows as (
    select * from reject_rows
),

ledger as (
    select * from ledger
),

newest as (
    select
        n,
        path,
        source,
        contract
    from ledger
    qualify row_number() over (partition by path, sha256 order by n desc) = 1
),

final as (
    select
        cast(reject_rows.n as bigint) as n,
        cast(reject_rows.path as varchar) as path,
        cast(newest.source as varchar) as source,
        cast(newest.contract as varchar) as contract,
        cast(reject_rows.line as bigint) as line,
        cast(reject_rows.rule as varchar) as rule,
        cast(reject_rows."column" as varchar) as "column",
        cast(reject_rows.value as varchar) as value,
        cast(reject_rows.expected as varchar) as expected,
        cast(reject_rows.raw as varchar) as raw
    from reject_rows
    inner join newest
        on reject_rows.n = newest.n and reject_rows.path = newest.path
)

select * from final
