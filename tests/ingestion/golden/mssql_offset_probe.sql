select coalesce("date", cast(null as date)) as "date"
from (
select 1 as a -- the end
) as source
where 1 = 0
