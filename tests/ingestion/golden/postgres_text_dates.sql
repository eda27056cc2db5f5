select
  cast("line" as text) as line,
  cast("date" as text) as date,
  cast("quantity" as text) as quantity,
  coalesce(cast("organization" as text) || E'\x1f', E'\x1e') ||
    coalesce(cast("customer" as text) || E'\x1f', E'\x1e') ||
    coalesce(cast("material" as text) || E'\x1f', E'\x1e') ||
    coalesce(cast("unit" as text) || E'\x1f', E'\x1e') ||
    coalesce(cast("status" as text) || E'\x1f', E'\x1e') as said
from "order_lines" as source
where case when left(cast("date" as text), 7) ~ '^(19|20)[0-9]{2}-?(0[1-9]|1[0-2])' then left(cast("date" as text), 7) else '' end in ('', '2026-10', '2026103')
