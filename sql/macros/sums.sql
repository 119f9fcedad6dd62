-- Purpose: the additive measures of a group of canonical rows. Every sum is null where all its
--   parts are, and wide enough never to overflow.
-- Params: canonical: the group's rows.
create or replace macro sums(canonical) as {
    'rows': cast(count(*) as bigint),
    'spend': cast(sum(canonical.cost) as decimal(38, 6)),
    'impressions': cast(sum(canonical.impressions) as decimal(38, 0)),
    'clicks': cast(sum(canonical.clicks) as decimal(38, 0)),
    'revenue': cast(sum(canonical.revenue) as decimal(38, 6)),
    'conversions': cast(sum(canonical.conversions) as decimal(38, 6)),
    'video_views': cast(sum(canonical.video_views) as decimal(38, 0)),
    'view_time_sum': cast(sum(canonical.video_view_time) as decimal(38, 6)),
    'view_time_rows': cast(count(canonical.video_view_time) as bigint),
    -- The weighted mean view time takes only rows where both of its parts are known: a product
    -- with null is null.
    'view_time_weighted': cast(
        sum(canonical.video_view_time * cast(canonical.video_views as decimal(19, 0)))
        as decimal(38, 6)
    ),
    'view_time_views': cast(
        sum(canonical.video_views) filter (where canonical.video_view_time is not null)
        as decimal(38, 0)
    )
}
