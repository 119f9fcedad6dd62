-- Purpose: how much of what arrived for a day's run was refused: of the files that its merge
--   decided on, and of those delivered on the day or the day after, whichever merge took them. A
--   file that was judged more than once counts with the newest judgement only.
-- Grain: one row per source.
-- Reads: ledger.
-- Params: $day (the run's day), $n (the transaction of its merge, or null).
with
ledger as (
    select * from ledger
),

newest as (
    select *
    from ledger
    where outcome <> 'withdrawn'
    qualify row_number() over (partition by path, sha256 order by n desc) = 1
),

arrived as (
    select *
    from newest
    where
        n = $n
        or (
            delivered_at >= cast($day as timestamptz)
            and delivered_at < cast($day as timestamptz) + interval 2 day
        )
),

final as (
    select
        cast(coalesce(source, '') as varchar) as source,
        cast(sum(rows_in) as bigint) as rows_in,
        cast(sum(quarantined) as bigint) as quarantined,
        cast(count(*) filter (where outcome in ('quarantined', 'held')) as bigint) as refused_files
    from arrived
    group by coalesce(source, '')
)

select * from final
order by source
