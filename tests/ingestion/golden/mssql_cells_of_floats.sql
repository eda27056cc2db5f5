select "slice", "organization", "customer", "material", "unit", "status", "quantity", count(*) as "lines", count(distinct "line") as "ids", min("line") as "first", max("line") as "last"
from (
  select cast("date" as date) as "slice", "organization" as "organization", "customer" as "customer", "material" as "material", "unit" as "unit", "status" as "status", "quantity" as "quantity", "line" as "line"
  from "order_lines" as source
) as lines
group by "slice", "organization", "customer", "material", "unit", "status", "quantity"
