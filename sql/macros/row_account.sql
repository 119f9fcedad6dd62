-- Purpose: the account of rows: what became of every row that was ever delivered. A file that was
--   judged more than once counts with the newest judgement only.
-- Grain: one row.
-- Reads: ledger.
-- Params: only_source: a source's name; null takes all.
create or replace macro row_account(only_source) as table
    with
    ledger as (
        select * from ledger
        where only_source is null or source = only_source
    ),

    newest as (
        select *
        from ledger
        qualify row_number() over (partition by path, sha256 order by n desc) = 1
    ),

    final as (
        select
            cast(count(*) as bigint) as files,
            cast(coalesce(sum(rows_in), 0) as bigint) as rows_in,
            cast(coalesce(sum(accepted), 0) as bigint) as accepted,
            cast(coalesce(sum(quarantined), 0) as bigint) as quarantined,
            cast(coalesce(sum(duplicates), 0) as bigint) as duplicates,
            cast(coalesce(sum(superseded), 0) as bigint) as superseded,
            cast(max(recorded_at) as timestamptz) as last_merge_at
        from newest
    )

    select * from final
