select
  "line" as "line",
  "organization" as "organization",
  "customer" as "customer",
  "material" as "material",
  cast(switchoffset("date", '+00:00') as datetime2) as "date",
  "quantity" as "quantity",
  "unit" as "unit",
  "status" as "status"
from "order_lines" as source
where "date" >= '20261001' and "date" < '20261101'
