select "slice",
  sum(case when abs("kilograms") <= 1000000000000 then "kilograms" else 0 end) as "kilograms"
from (
  select cast("date" as date) as "slice",
    cast(round(cast("quantity" as decimal(14, 3)) * case "unit" collate Latin1_General_BIN2 when N'LB ' then cast(0.45359237 as decimal(12, 8)) when N'it''s' then cast(1 as decimal(12, 8)) when N't' then cast(1000 as decimal(12, 8)) end, 0) as decimal(38, 0)) as "kilograms"
  from "order_lines" as source
  where "date" >= '20261001' and "date" < '20261101'
) as lines
group by "slice"
