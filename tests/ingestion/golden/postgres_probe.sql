select *
from (
select 1 as a
) as source
limit 0
