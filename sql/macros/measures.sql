-- Purpose: the measures of a group of facts. Each formula stands here and nowhere else; the
--   comment before a measure is its unit and definition, from which the references are made.
-- Params: facts: the group's rows of `facts` or `campaign_facts`.
create or replace macro measures(facts) as {
    -- money: sum(cost)
    'spend': cast(sum(facts.spend) as decimal(38, 6)),
    -- count: sum(clicks)
    'clicks': cast(sum(facts.clicks) as hugeint),
    -- count: sum(impressions)
    'impressions': cast(sum(facts.impressions) as hugeint),
    -- money: spend / clicks
    'cpc': ratio(sum(facts.spend), sum(facts.clicks)),
    -- fraction: clicks / impressions; percent in the report
    'ctr': ratio(sum(facts.clicks), sum(facts.impressions)),
    -- money: 1000 x spend / impressions
    'cpm': 1000 * ratio(sum(facts.spend), sum(facts.impressions)),
    -- fraction: conversions / clicks, of accounts that state conversions; may exceed 1
    'cvr': ratio(sum(facts.conversions), sum(facts.converting_clicks)),
    -- money: spend / conversions, of accounts that state conversions
    'cpa': ratio(sum(facts.converting_spend), sum(facts.conversions)),
    -- ratio: revenue / spend, of accounts that state revenue
    'roas': ratio(sum(facts.revenue), sum(facts.earning_spend)),
    -- ratio: (revenue - spend) / spend, of accounts that state revenue; this is roas - 1
    'roi': ratio(sum(facts.revenue) - sum(facts.earning_spend), sum(facts.earning_spend)),
    -- count: sum(conversions); may be a fraction
    'conversions': cast(sum(facts.conversions) as decimal(38, 6)),
    -- money: sum(revenue)
    'revenue': cast(sum(facts.revenue) as decimal(38, 6)),
    -- money: revenue / conversions, of accounts that state both
    'value_per_conversion': ratio(sum(facts.valued_revenue), sum(facts.valued_conversions)),
    -- fraction: the part of the spend that roas and roi are about
    'revenue_known': ratio(coalesce(sum(facts.earning_spend), 0), sum(facts.spend)),
    -- fraction: the part of the spend that cpa is about
    'conversions_known': ratio(coalesce(sum(facts.converting_spend), 0), sum(facts.spend))
}
