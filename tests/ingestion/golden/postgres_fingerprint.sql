select coalesce(left(cast(day as text), 7), '') as slice, cast(sum(lines) as bigint) as lines,
  cast(sum(hashtextextended(concat(day, ':', lines, ':', checksum), 0)) as text) as checksum
from (
  select cast("date" as date) as day, count(*) as lines, sum(
    hashtextextended(coalesce("status", E'\x1e missing \x1e'),
    hashtextextended(coalesce(cast("unit" as text), E'\x1e missing \x1e'),
    hashtextextended(coalesce("material", E'\x1e missing \x1e'),
    hashtextextended(coalesce("customer", E'\x1e missing \x1e'),
    hashtextextended(coalesce("organization", E'\x1e missing \x1e'),
    hashint8extended(coalesce("line", -9223372036854775807), coalesce(hash_numeric_extended("quantity", 0), 1)))))))) as checksum
  from "order_lines" as source
  group by 1
) as days
group by 1
