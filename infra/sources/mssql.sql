-- The same small ERP in SQL Server: 48 months, 2 companies, 6 customers, 4 grades.
if db_id('erp') is null create database erp;
go
use erp;
go
drop table if exists dbo.order_line;
create table dbo.order_line (
    position       nvarchar(20) not null primary key,
    company        nvarchar(20) not null,
    customer_no    nvarchar(20) not null,
    article        nvarchar(40) not null,
    requested_date date not null,
    quantity       decimal(14, 3) not null,
    uom            nvarchar(10) not null,
    state          nvarchar(20) not null
);

with
    month(n) as (select 0 union all select n + 1 from month where n < 47),
    customer(n) as (select 1 union all select n + 1 from customer where n < 6),
    article(n, name) as (
        select n, name from (values (1, 'HRC-S235-3.0'), (2, 'CRC-DC01-1.0'), (3, 'HEB-200'), (4, 'REBAR-12')) as a (n, name)
    ),
    part(n) as (select 1 union all select 2)
insert into dbo.order_line
select
    concat('S', row_number() over (order by m.n, c.n, a.n, p.n)),
    case when c.n % 2 = 0 then 'SUED' else 'OST' end,
    concat('K-', 200 + c.n),
    a.name,
    dateadd(day, (c.n * 3 + p.n * 11) % 28, dateadd(month, m.n, cast('2022-11-01' as date))),
    round(18 + 2 * c.n + 6 * sin(2 * pi() * m.n / 12) + (m.n * 7 + a.n * 5 + p.n) % 9, 3)
        * case when a.n <= 2 then 1000 else 1 end,
    case when a.n <= 2 then 'kg' else 't' end,
    case when (m.n * 11 + c.n * 7 + a.n + p.n) % 53 = 0 then 'cancelled' else 'confirmed' end
from month as m cross join customer as c cross join article as a cross join part as p;
go
