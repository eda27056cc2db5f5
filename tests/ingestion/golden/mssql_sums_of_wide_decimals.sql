select "slice",
  sum(case when abs("kilograms") <= 1000000000000 then "kilograms" else 0 end) as "kilograms"
from (
  select cast(left(cast("wanted" as nvarchar(40)), 7) as nvarchar(7)) collate Latin1_General_BIN2 as "slice",
    cast(round(try_cast("qty" as decimal(33, 6)) * cast(1000 as decimal(4, 0)), 0) as decimal(38, 0)) as "kilograms"
  from "order_lines" as source
  where cast(left(cast("wanted" as nvarchar(40)), 7) as nvarchar(7)) collate Latin1_General_BIN2 in (N'2026-10')
) as lines
group by "slice"
