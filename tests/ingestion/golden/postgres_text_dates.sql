select
  cast("line" as text) as "line",
  cast("organization" as text) as "organization",
  cast("customer" as text) as "customer",
  cast("material" as text) as "material",
  cast("date" as text) as "date",
  cast("quantity" as text) as "quantity",
  cast("unit" as text) as "unit",
  cast("status" as text) as "status"
from "order_lines" as source
where case when left(cast("date" as text), 7) ~ '^(19|20)[0-9]{2}-?(0[1-9]|1[0-2])' then left(cast("date" as text), 7) else '' end in ('', '2026-10', '2026103')
