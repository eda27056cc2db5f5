select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(lines) as bigint) as lines,
  cast(sum(hashtextextended(concat(day, ':', lines, ':', checksum), 0)) as text) as checksum
from (
  select cast("date" as date) as day, count(*) as lines, sum(
    coalesce(hashint8extended("line", 1), 1) #
    coalesce(hashtextextended("organization", 2), 2) #
    coalesce(hashtextextended("customer", 3), 3) #
    coalesce(hashtextextended("material", 4), 4) #
    coalesce(hash_numeric_extended("quantity", 6), 6) #
    coalesce(hashtextextended(cast("unit" as text), 7), 7) #
    coalesce(hashtextextended("status", 8), 8)
  ) as checksum
  from "order_lines" as source
  group by 1
) as days
group by 1
