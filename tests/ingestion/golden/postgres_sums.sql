select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(kilograms) as text) as kilograms
from (
  select cast("date" as date) as day,
  sum(case when abs(cast("quantity" as numeric)) <= 1102311310 then round(cast("quantity" as numeric) * case cast("unit" as text) when 'kg' then 1 when 'short ''ton''' then 907.18474 end)
    when abs(round(cast("quantity" as numeric) * case cast("unit" as text) when 'kg' then 1 when 'short ''ton''' then 907.18474 end)) <= 1000000000000 then round(cast("quantity" as numeric) * case cast("unit" as text) when 'kg' then 1 when 'short ''ton''' then 907.18474 end) end) as kilograms
  from "order_lines" as source
  where "date" >= '2026-10-01' and "date" < '2026-11-01'
  group by 1
) as days
group by 1
