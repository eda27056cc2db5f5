select slice, cast(sum(kilograms) filter (where abs(kilograms) <= 1000000000000) as text)
from (
  select coalesce(left(cast("date" as text), 7), '') as slice, round(case when cast("quantity" as text) ~ '^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$' then cast(cast("quantity" as text) as numeric) end * 0.45359237) as kilograms
  from "order_lines" as source
  where "date" is null
) as lines
group by 1
