-- Purpose: what the generator delivered, as delivered: each account and day in its newest
--   generation. The date stands in the path only, so it comes from the manifest.
-- Grain: one row per record in a raw file.
-- Reads: raw_rows, which is read_parquet over the files that the manifests name; raw_files, which
--   says the date and account of each of these files.
-- Params: none.
with
raw_rows as (
    select * from raw_rows
),

raw_files as (
    select * from raw_files
),

placed as (
    select
        cast(raw_files.date as date) as date,
        cast(raw_files.account as varchar) as account,
        raw_rows.*
    from raw_rows
    inner join raw_files on raw_rows.raw_path = raw_files.raw_path
),

final as (
    select * exclude (raw_path)
    from placed
)

select * from final
