select top 1 1 as "one"
from (
select 1 as a -- the end
) as source
