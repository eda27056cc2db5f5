select "slice", count(*) as "lines", sum("checksum") as "checksum"
from (
  select cast("date" as date) as "slice",
    cast(cast(substring(hashbytes('SHA2_256', concat(
      datalength(cast("line" as nvarchar(max))), ':', cast("line" as nvarchar(max)),
      datalength(cast("organization" as nvarchar(max))), ':', cast("organization" as nvarchar(max)),
      datalength(cast("customer" as nvarchar(max))), ':', cast("customer" as nvarchar(max)),
      datalength(cast("material" as nvarchar(max))), ':', cast("material" as nvarchar(max)),
      datalength(cast(cast("date" as datetime2) as nvarchar(40))), ':', cast(cast("date" as datetime2) as nvarchar(40)),
      datalength(cast(cast("quantity" as decimal(14, 3)) as nvarchar(42))), ':', cast(cast("quantity" as decimal(14, 3)) as nvarchar(42)),
      datalength(cast("unit" as nvarchar(max))), ':', cast("unit" as nvarchar(max)),
      datalength(cast("status" as nvarchar(max))), ':', cast("status" as nvarchar(max))
    )), 1, 5) as bigint) as decimal(38, 0)) as "checksum"
  from "order_lines" as source
) as lines
group by "slice"
