-- Purpose: the account of rows of all sources.
-- Grain: one row.
-- Reads: row_account.
-- Params: none.
with
row_account as (
    select * from row_account(null)
),

final as (
    select * from row_account
)

select * from final
