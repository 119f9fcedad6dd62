-- Purpose: what is in quarantine and why, the most rows first.
-- Grain: one row per source and rule.
-- Reads: quarantine.
-- Params: source.
with
quarantine as (
    select * from quarantine
    where $source is null or source = $source
),

final as (
    select
        source,
        rule,
        -- count: files in which the rule was broken
        cast(count(distinct path) as bigint) as files,
        -- count: rows that broke it; 0 where the file was refused whole
        cast(count(line) as bigint) as refused_rows,
        -- text: the first of these files, by its path
        cast(min(path) as varchar) as first_path,
        -- text: the first value that was refused
        cast(arg_min(value, (path, line)) as varchar) as example
    from quarantine
    group by
        source,
        rule
)

select * from final
order by
    refused_rows desc,
    source asc nulls last,
    rule asc nulls last
