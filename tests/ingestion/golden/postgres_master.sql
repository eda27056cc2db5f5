select
  cast("no" as text) as "customer",
  cast("seg;--" as text) as "segment"
from "erp"."customers" as source
