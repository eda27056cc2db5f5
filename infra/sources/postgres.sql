-- A small seeded ERP for `docker compose --profile sources`: 48 months, 2 companies, 6 customers, 4 grades.
create table order_line (
    position       text primary key,
    company        text not null,
    customer_no    text not null,
    article        text not null,
    requested_date date not null,
    quantity       numeric(14, 3) not null,
    uom            text not null,
    state          text not null
);

insert into order_line
select
    'P' || row_number() over (order by month, customer, article, part),
    case when customer % 2 = 0 then 'NORD' else 'WEST' end,
    'K-' || (100 + customer),
    (array['HRC-S235-3.0', 'CRC-DC01-1.0', 'HEB-200', 'REBAR-12'])[article],
    (date '2022-11-01' + make_interval(months => month, days => (customer * 3 + part * 11) % 28))::date,
    round((18 + 2 * customer + 6 * sin(2 * pi() * month / 12) + (month * 7 + article * 5 + part) % 9)::numeric, 3)
        * case when article <= 2 then 1000 else 1 end,
    case when article <= 2 then 'kg' else 't' end,
    case when (month * 11 + customer * 7 + article + part) % 53 = 0 then 'cancelled' else 'confirmed' end
from
    generate_series(0, 47) as month,
    generate_series(1, 6) as customer,
    generate_series(1, 4) as article,
    generate_series(1, 2) as part;
