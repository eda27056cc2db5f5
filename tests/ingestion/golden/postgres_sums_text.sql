select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(kilograms) as text) as kilograms
from (
  select cast("date" as date) as day,
  sum(case when abs(case when btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,3})?$' then cast(btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') as numeric) end) <= 1000000000000 then round(case when btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,3})?$' then cast(btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') as numeric) end * 0.45359237)
    when abs(round(case when btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,3})?$' then cast(btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') as numeric) end * 0.45359237)) <= 1000000000000 then round(case when btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,3})?$' then cast(btrim(cast("quantity" as text), E' \t\n\r\x0b\x0c') as numeric) end * 0.45359237) end) as kilograms
  from "order_lines" as source
  where "date" is null
  group by 1
) as days
group by 1
