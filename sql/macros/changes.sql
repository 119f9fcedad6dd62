-- Purpose: how the headline measures moved from one period to the next; null where there is no
--   period before.
-- Params: now, before: rows with the columns of `measures`.
create or replace macro changes(now, before) as {
    -- money: spend of the period before
    'spend_previous': before.spend,
    -- money: spend - spend_previous
    'spend_change': now.spend - before.spend,
    -- fraction: spend_change / spend_previous
    'spend_change_relative': ratio(now.spend - before.spend, before.spend),
    -- count: clicks of the period before
    'clicks_previous': before.clicks,
    -- count: clicks - clicks_previous
    'clicks_change': now.clicks - before.clicks,
    -- fraction: clicks_change / clicks_previous
    'clicks_change_relative': ratio(now.clicks - before.clicks, before.clicks),
    -- count: conversions of the period before
    'conversions_previous': before.conversions,
    -- count: conversions - conversions_previous
    'conversions_change': now.conversions - before.conversions,
    -- fraction: conversions_change / conversions_previous
    'conversions_change_relative': ratio(
        now.conversions - before.conversions, before.conversions
    ),
    -- money: revenue of the period before
    'revenue_previous': before.revenue,
    -- money: revenue - revenue_previous
    'revenue_change': now.revenue - before.revenue,
    -- fraction: revenue_change / revenue_previous
    'revenue_change_relative': ratio(now.revenue - before.revenue, before.revenue),
    -- money: cpa of the period before
    'cpa_previous': before.cpa,
    -- money: cpa - cpa_previous
    'cpa_change': now.cpa - before.cpa,
    -- fraction: cpa_change / cpa_previous
    'cpa_change_relative': ratio(now.cpa - before.cpa, before.cpa),
    -- ratio: roas of the period before
    'roas_previous': before.roas,
    -- ratio: roas - roas_previous
    'roas_change': now.roas - before.roas,
    -- fraction: roas_change / roas_previous
    'roas_change_relative': ratio(now.roas - before.roas, before.roas)
}
