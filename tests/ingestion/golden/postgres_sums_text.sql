select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(kilograms) as text) as kilograms
from (
  select day, sum(kilograms) filter (where abs(kilograms) <= 1000000000000) as kilograms
  from (
    select cast("date" as date) as day, round(case when cast("quantity" as text) ~ '^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$' then cast(cast("quantity" as text) as numeric) end * 0.45359237) as kilograms
    from "order_lines" as source
    where "date" is null
  ) as lines
  group by 1
) as days
group by 1
