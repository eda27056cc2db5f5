select case when left(cast(day as text), 7) ~ '^(19|20)[0-9]{2}-?(0[1-9]|1[0-2])' then left(cast(day as text), 7) else '' end as slice, cast(sum(lines) as bigint) as lines,
  cast(sum(hashtextextended(concat(day, ':', lines, ':', checksum), 0)) as text) as checksum
from (
  select cast("date" as text) as day, count(*) as lines, sum(
    coalesce(hashtextextended("line", 1), 1) #
    coalesce(hashtextextended("organization", 2), 2) #
    coalesce(hashtextextended("customer", 3), 3) #
    coalesce(hashtextextended("material", 4), 4) #
    coalesce(hashtextextended("quantity", 6), 6) #
    coalesce(hashtextextended("unit", 7), 7) #
    coalesce(hashtextextended("status", 8), 8)
  ) as checksum
  from "order_lines" as source
  group by 1
) as days
group by 1
