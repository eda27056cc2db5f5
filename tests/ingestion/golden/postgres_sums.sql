select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(kilograms) as text) as kilograms
from (
  select day, sum(kilograms) filter (where abs(kilograms) <= 1000000000000) as kilograms
  from (
    select cast("date" as date) as day, round(cast("quantity" as numeric) * case cast("unit" as text) when 'kg' then 1 when 'short ''ton''' then 907.18474 end) as kilograms
    from "order_lines" as source
    where "date" >= '2026-10-01' and "date" < '2026-11-01'
  ) as lines
  group by 1
) as days
group by 1
