-- Purpose: what was delivered and how fresh it is: the files of each source, what became of their
--   rows, and the days that are in the master. A file that was judged more than once counts with
--   the newest judgement.
-- Grain: one row per source.
-- Reads: ledger, primary_rollup.
-- Params: source.
with
ledger as (
    select * from ledger
),

primary_rollup as (
    select * from primary_rollup
),

judged as (
    select *
    from ledger
    qualify row_number() over (partition by path, sha256 order by n desc) = 1
),

stated as (
    select distinct
        source,
        time_zone
    from judged
    where time_zone is not null and outcome = 'merged'
),

counted as (
    select
        source,
        count(*) as zones
    from stated
    group by source
),

spoken as (
    select
        source,
        time_zone,
        unnest(coverage).account as account
    from judged
    where outcome = 'merged'
),

named as (
    select
        source,
        time_zone,
        ' (' || string_agg(distinct account, ', ' order by account) || ')' as accounts
    from spoken
    where account <> ''
    group by source, time_zone
),

-- Where a source has several zones it is told which account has which.
zones as (
    select
        stated.source,
        string_agg(
            case
                when counted.zones > 1 then stated.time_zone || coalesce(named.accounts, '')
                else stated.time_zone
            end,
            ', ' order by stated.time_zone
        ) as time_zones
    from stated
    inner join counted using (source)
    left join named using (source, time_zone)
    group by stated.source
),

files as (
    select
        source,
        count(*) as files,
        count(*) filter (where outcome = 'merged') as merged,
        count(*) filter (where outcome = 'quarantined') as refused,
        count(*) filter (where outcome = 'held') as held,
        sum(rows_in) as rows_in,
        sum(accepted) as accepted,
        sum(quarantined) as quarantined,
        sum(duplicates) as duplicates,
        sum(superseded) as superseded,
        -- Of a file that was withdrawn nothing is here, so it makes no source fresh.
        max(delivered_at) filter (where outcome <> 'withdrawn') as last_delivered_at
    from judged
    group by source
),

days as (
    select
        source,
        min(date) as first_date,
        max(date) as last_date,
        count(distinct date) as days,
        string_agg(distinct attribution, ', ' order by attribution) as attributions,
        -- Of all sources, also where one is asked for: of a source that has stopped, the newest
        -- delivery stays as close to its newest day as it was.
        max(max(date)) over () as newest_date
    from primary_rollup
    group by source
),

final as (
    select
        cast(source as varchar) as source,
        -- count: files that a merge decided on
        cast(coalesce(files.files, 0) as bigint) as files,
        -- count: files whose rows were taken
        cast(coalesce(files.merged, 0) as bigint) as merged_files,
        -- count: files that were refused whole
        cast(coalesce(files.refused, 0) as bigint) as refused_files,
        -- count: files that wait for a person
        cast(coalesce(files.held, 0) as bigint) as held_files,
        -- count: rows in these files = accepted + quarantined + duplicates + superseded
        cast(coalesce(files.rows_in, 0) as bigint) as rows_in,
        -- count: rows that were taken into the master
        cast(coalesce(files.accepted, 0) as bigint) as accepted,
        -- count: rows that were refused
        cast(coalesce(files.quarantined, 0) as bigint) as quarantined,
        -- count: rows that said again what another row says
        cast(coalesce(files.duplicates, 0) as bigint) as duplicates,
        -- count: rows in whose place a newer delivery stands
        cast(coalesce(files.superseded, 0) as bigint) as superseded,
        -- fraction: quarantined / rows_in
        ratio(files.quarantined, files.rows_in) as quarantined_share,
        -- date: the first day in the master
        cast(days.first_date as date) as first_date,
        -- date: the last day in the master
        cast(days.last_date as date) as last_date,
        -- count: days between these two that have no rows
        cast(days.last_date - days.first_date + 1 - days.days as bigint) as missing_days,
        -- time, UTC: the newest delivery
        cast(files.last_delivered_at as timestamptz) as last_delivered_at,
        -- days: from the last day in the master to the last one that any source has there
        cast(days.newest_date - days.last_date as bigint) as days_behind,
        -- text: in which the days are meant; where of several zones, with their accounts
        cast(zones.time_zones as varchar) as time_zone,
        -- text: the attribution windows that rows state; conversions of two are not alike
        cast(days.attributions as varchar) as attribution
    from files
    full join days using (source)
    left join zones using (source)
    where $source is null or source = $source
)

select * from final
order by source asc nulls last
