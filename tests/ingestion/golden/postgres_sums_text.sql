select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(kilograms) as text) as kilograms
from (
  select day, sum(kilograms) filter (where abs(kilograms) <= 1000000000000) as kilograms
  from (
    select cast("date" as date) as day, round(case when btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,3})?$' then cast(btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') as numeric) end * 0.45359237) as kilograms
    from "order_lines" as source
    where "date" is null
  ) as lines
  group by 1
) as days
group by 1
