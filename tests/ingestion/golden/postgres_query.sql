select
  cast("id" as text) as line,
  cast("wanted" as text) as date,
  cast("qty" as text) as quantity,
  coalesce(cast("the ""plant""" as text) || E'\x1f', E'\x1e') ||
    coalesce(cast("Customer No" as text) || E'\x1f', E'\x1e') ||
    coalesce(cast("item;--" as text) || E'\x1f', E'\x1e') as said
from (
select * -- all of it
from t -- the end
) as source
where "wanted" >= '2026-01-01' and "wanted" < '2026-02-01' or "wanted" >= '2026-10-01' and "wanted" < '2027-01-01' or "wanted" is null or coalesce(left(cast("wanted" as text), 7), '') in ('0044-03')
