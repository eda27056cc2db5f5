select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(lines) as bigint) as lines,
  cast(sum(checksum) as text) as checksum
from (
  select cast("date" as date) as day, count(*) as lines, sum(hash_record_extended(row("line", "organization", "customer", "material", "date", "quantity", cast("unit" as text), "status"), 0)) as checksum
  from "order_lines" as source
  group by 1
) as days
group by 1
