select
  "id" as "line",
  "the ""plant""" as "organization",
  "Customer No" as "customer",
  "item;--" as "material",
  "wanted" as "date",
  "qty" as "quantity"
from (
select * from t
) as source
where "wanted" >= '00010101' and "wanted" < '00010201' or "wanted" >= '20250101' and "wanted" < '20250201' or "wanted" >= '20261101' and "wanted" < '20270101' or "wanted" is null
