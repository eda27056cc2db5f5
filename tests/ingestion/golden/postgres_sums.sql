select slice, cast(sum(kilograms) filter (where abs(kilograms) <= 1000000000000) as text)
from (
  select coalesce(left(cast("date" as text), 7), '') as slice, round("quantity" * case cast("unit" as text) when 'kg' then 1 when 'short ''ton''' then 907.18474 end) as kilograms
  from "order_lines" as source
  where "date" >= '2026-10-01' and "date" < '2026-11-01'
) as lines
group by 1
