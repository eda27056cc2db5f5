select
  "line" as "line",
  "organization" as "organization",
  "customer" as "customer",
  "material" as "material",
  "date" as "date",
  "quantity" as "quantity",
  "unit" as "unit",
  "status" as "status"
from "sales"."order ""lines""" as source
where 1 = 0
