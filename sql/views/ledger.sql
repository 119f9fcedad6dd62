-- Purpose: every file that a merge has decided on, up to the version's last merge.
-- Grain: one row per merge (n) and file (path).
-- Reads: ledger_rows, which is read_parquet over exactly the ledger's files of that version.
-- Params: none.
with
ledger_rows as (
    select * from ledger_rows
),

final as (
    select
        cast(n as bigint) as n,
        cast(recorded_at as timestamptz) as recorded_at,
        cast(path as varchar) as path,
        cast(size as bigint) as size,
        cast(etag as varchar) as etag,
        cast(modified_at as timestamptz) as modified_at,
        cast(sha256 as varchar) as sha256,
        cast(source as varchar) as source,
        cast(contract as varchar) as contract,
        cast(contract_sha256 as varchar) as contract_sha256,
        cast(time_zone as varchar) as time_zone,
        cast(delivered_at as timestamptz) as delivered_at,
        cast(delivery_id as varchar) as delivery_id,
        cast(outcome as varchar) as outcome,
        cast(reason as varchar) as reason,
        cast(detail as varchar) as detail,
        cast(rows_in as bigint) as rows_in,
        cast(control as bigint) as control,
        cast(accepted as bigint) as accepted,
        cast(quarantined as bigint) as quarantined,
        cast(duplicates as bigint) as duplicates,
        cast(superseded as bigint) as superseded,
        cast(remarks as varchar) as remarks,
        coverage,
        cast(reject_path as varchar) as reject_path
    from ledger_rows
)

select * from final
