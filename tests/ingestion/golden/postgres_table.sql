select
  cast("line" as text) as "line",
  cast("organization" as text) as "organization",
  cast("customer" as text) as "customer",
  cast("material" as text) as "material",
  cast("date" as text) as "date",
  cast("quantity" as text) as "quantity",
  cast("unit" as text) as "unit",
  cast("status" as text) as "status"
from "sales"."order ""lines""" as source
