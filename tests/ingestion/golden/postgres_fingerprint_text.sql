select case when left(cast(day as text), 7) ~ '^(19|20)[0-9]{2}-?(0[1-9]|1[0-2])' then left(cast(day as text), 7) else '' end as slice, cast(sum(lines) as bigint) as lines,
  cast(sum(hashtextextended(concat(day, ':', lines, ':', checksum), 0)) as text) as checksum
from (
  select cast("date" as text) as day, count(*) as lines, sum(
    hashtextextended(coalesce("status", E'\x1e missing \x1e'),
    hashtextextended(coalesce("unit", E'\x1e missing \x1e'),
    hashtextextended(coalesce("material", E'\x1e missing \x1e'),
    hashtextextended(coalesce("customer", E'\x1e missing \x1e'),
    hashtextextended(coalesce("organization", E'\x1e missing \x1e'),
    hashtextextended(coalesce("line", E'\x1e missing \x1e'),
    coalesce(hashtextextended("quantity",
    0), 1)))))))) as checksum
  from "order_lines" as source
  group by 1
) as days
group by 1
