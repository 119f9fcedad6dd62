-- Purpose: how long was watched, in a group of facts; else as sql/macros/measures.sql.
-- Params: facts: the group's rows of `facts` or `campaign_facts`.
create or replace macro view_times(facts) as {
    -- minutes: sum(video_view_time) / rows that state one: the plain mean of rows, as the original
    --   program has it
    'avg_view_time': ratio(sum(facts.view_time_sum), sum(facts.view_time_rows)),
    -- minutes a view: sum(video_view_time x video_views) / sum(video_views), over rows that state
    --   both
    'avg_view_time_weighted': ratio(sum(facts.view_time_weighted), sum(facts.view_time_views))
}
