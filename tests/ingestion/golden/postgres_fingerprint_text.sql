select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(lines) as bigint) as lines,
  cast(sum(hashtextextended(concat(day, ':', lines, ':', checksum), 0)) as text) as checksum
from (
  select cast("date" as text) as day, count(*) as lines, sum(
    coalesce(hashtextextended("line", 1), 1) #
    coalesce(hashtextextended("organization", 2), 2) #
    coalesce(hashtextextended("customer", 3), 3) #
    coalesce(hashtextextended("material", 4), 4) #
    coalesce(hashtextextended("quantity", 5), 5) #
    coalesce(hashtextextended("unit", 6), 6) #
    coalesce(hashtextextended("status", 7), 7)
  ) as checksum
  from "order_lines" as source
  group by 1
) as days
group by 1
