-- Purpose: what of a sum belongs to accounts that state the figure it is set against. What an
--   account without revenue spends says nothing of what money brings back, and must not lower roas.
-- Params: sums: a row with sums; stated: its account's row of the view `stated`.
create or replace macro stating(sums, stated) as {
    'earning_spend': case when stated.revenue then sums.spend end,
    'converting_spend': case when stated.conversions then sums.spend end,
    'converting_clicks': case when stated.conversions then sums.clicks end,
    'valued_revenue': case when stated.conversions then sums.revenue end,
    'valued_conversions': case when stated.revenue then sums.conversions end
}
