select
  cast("id" as text) as "line",
  cast("the ""plant""" as text) as "organization",
  cast("Customer No" as text) as "customer",
  cast("item;--" as text) as "material",
  cast("wanted" as text) as "date",
  cast("qty" as text) as "quantity"
from (
select * -- all of it
from t -- the end
) as source
where "wanted" >= '2026-01-01' and "wanted" < '2026-02-01' or "wanted" >= '2026-10-01' and "wanted" < '2027-01-01' or "wanted" is null or coalesce(left(cast("wanted" as text), 7), '') in ('0044-03')
