select "slice", "organization", "customer", "material", "unit", "status", count(*) as "lines", count(distinct "line") as "ids", min("line") as "first", max("line") as "last", sum(cast("quantity" as decimal(38, 3))) as "total"
from (
  select cast("date" as date) as "slice", "organization" as "organization", "customer" as "customer", "material" as "material", "unit" as "unit", "status" as "status", "line" as "line", "quantity" as "quantity"
  from "order_lines" as source
) as lines
group by "slice", "organization", "customer", "material", "unit", "status"
