select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(lines) as bigint) as lines,
  cast(sum(checksum) as text) as checksum
from (
  select left(cast("date" as text), 7) as day, count(*) as lines, sum(hashtextextended(cast(row("line", "organization", "customer", "material", "date", "quantity", "unit", "status") as text), 0)) as checksum
  from "order_lines" as source
  group by 1
) as days
group by 1
