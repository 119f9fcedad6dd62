-- Purpose: a ratio of two sums: null, never infinite or not a number, where the whole is 0 or null.
-- Params: part, whole: any numbers.
create or replace macro ratio(part, whole) as
cast(part as double) / nullif(cast(whole as double), 0)
