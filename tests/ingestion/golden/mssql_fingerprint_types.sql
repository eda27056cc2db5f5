select "slice", count(*) as "lines", sum("checksum") as "checksum"
from (
  select cast(cast(switchoffset("date", '+00:00') as datetime2) as date) as "slice",
    cast(cast(substring(hashbytes('SHA2_256', concat(
      datalength(cast("line" as nvarchar(20))), ':', cast("line" as nvarchar(20)),
      datalength(cast("organization" as nvarchar(max))), ':', cast("organization" as nvarchar(max)),
      datalength(cast("customer" as nvarchar(max))), ':', cast("customer" as nvarchar(max)),
      datalength(cast("material" as nvarchar(max))), ':', cast("material" as nvarchar(max)),
      datalength(cast(cast(switchoffset("date", '+00:00') as datetime2) as nvarchar(40))), ':', cast(cast(switchoffset("date", '+00:00') as datetime2) as nvarchar(40)),
      datalength(convert(nvarchar(40), "quantity", 3)), ':', convert(nvarchar(40), "quantity", 3),
      datalength(cast("unit" as nvarchar(max))), ':', cast("unit" as nvarchar(max)),
      datalength(cast("status" as nvarchar(max))), ':', cast("status" as nvarchar(max))
    )), 1, 5) as bigint) as decimal(38, 0)) as "checksum"
  from "order_lines" as source
  where "date" >= '20261001' and "date" < '20261101'
) as lines
group by "slice"
