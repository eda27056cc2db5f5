select
  "line" as "line",
  "organization" as "organization",
  "customer" as "customer",
  "material" as "material",
  "date" as "date",
  "quantity" as "quantity",
  "unit" as "unit",
  "status" as "status",
  cast(left(cast("date" as nvarchar(40)), 7) as nvarchar(7)) collate Latin1_General_BIN2 as "slice"
from "order_lines" as source
where cast(left(cast("date" as nvarchar(40)), 7) as nvarchar(7)) collate Latin1_General_BIN2 in (N'', N'2026-10', N'it''s') or "date" is null
