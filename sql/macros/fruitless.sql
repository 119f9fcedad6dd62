-- Purpose: whether money was spent that brought nothing, as far as it can be known.
-- Params: facts: the group's rows of `facts` or `campaign_facts`. Its sums are written as those of
--   sql/macros/measures.sql, so that the engine takes them for the same and sums once.
create or replace macro fruitless(facts) as cast(
    coalesce(
        case
            when sum(facts.converting_spend) is not null
                then sum(facts.converting_spend) > 0 and coalesce(sum(facts.conversions), 0) = 0
            else sum(facts.earning_spend) > 0 and coalesce(sum(facts.revenue), 0) = 0
        end,
        false
    )
    as boolean
)
