-- Purpose: whether the lake adds up: the files whose rows do not, and the rows that the master
--   holds.
-- Grain: one row.
-- Reads: ledger; ad_day.
-- Params: none.
with
ledger as (
    select * from ledger
),

ad_day as (
    select * from ad_day
),

final as (
    select
        cast(
            (
                select count(*)
                from ledger
                where rows_in <> accepted + quarantined + duplicates + superseded
            ) as bigint
        ) as unbalanced_files,
        cast((select count(*) from ad_day) as bigint) as master_rows
)

select * from final
