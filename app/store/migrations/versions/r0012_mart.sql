-- Whoever published before: as in app/store/mart_keys.py.
insert into mart_key (kind, value)
select 'organization', organization from node where organization is not null
union select 'customer', customer from node where customer is not null
union select 'material', material from node where material is not null
order by 1, 2;
insert into mart_level (level) select distinct level from node order by 1;

insert into mart_node (node_id, level_key, organization_key, customer_key, material_key)
select node.id, mart_level.key, organization.key, customer.key, material.key
from node
join mart_level on mart_level.level = node.level
left join mart_key organization on organization.kind = 'organization' and organization.value = node.organization
left join mart_key customer on customer.kind = 'customer' and customer.value = node.customer
left join mart_key material on material.kind = 'material' and material.value = node.material;

-- Two views that only the owner reads, and those below through the owner.
-- A login cannot change its session_user, whatever role it takes.
create view mart_scope as
select bool_or(mart_grant.organization is null) as everything, array_agg(mart_key.key) as organization_keys
from mart_grant
left join mart_key on mart_key.kind = 'organization' and mart_key.value = mart_grant.organization
where mart_grant.login = session_user::text;
comment on view mart_scope is 'What the login that asks may see: all, or some organizations; nulls for nothing';

create view mart_seen as
select *
from mart_node
where (select everything from mart_scope)
    or organization_key = any ((select organization_keys from mart_scope)::int[]);
comment on view mart_seen is 'The nodes that the login that asks may see';

create schema mart;
comment on schema mart is 'A star for Power BI and others, read only: see docs/power-bi.md. Its shape is a contract';

-- Dimensions ---------------------------------------------------------------------------------------------

create view mart.dim_date with (security_barrier) as
with span as (
    select
        date_trunc('year', min(coalesce(panel_first, origin))::timestamp) as first,
        date_trunc('year', max(origin + make_interval(months => horizon))) + interval '1 year - 1 day' as last
    from run
    where published_at is not null and exists (select from mart_grant where login = session_user::text)
),
shown as (
    select origin from run join current_run on current_run.run_id = run.id
)
select
    day::date as date,
    date_trunc('month', day)::date as period_start,
    extract(year from day)::int as year,
    extract(quarter from day)::int as quarter,
    extract(month from day)::int as month,
    to_char(day, 'FMMonth') as month_name,
    to_char(day, 'YYYY-MM') as year_month,
    (extract(year from day) * 100 + extract(month from day))::int as year_month_sort,
    extract(isodow from day)::int as weekday,
    (extract(isodow from day) < 6)::int as working_day,
    date_trunc('month', day)::date > shown.origin as is_future
from span
cross join generate_series(span.first, span.last, interval '1 day') day
left join shown on true;

comment on view mart.dim_date is 'One row for each day of all years that shown runs tell of; facts are at the first day of their month';
comment on column mart.dim_date.date is 'The day; period_start of facts refers to it';
comment on column mart.dim_date.period_start is 'First day of the month';
comment on column mart.dim_date.year is 'Calendar year';
comment on column mart.dim_date.quarter is 'Calendar quarter, 1 to 4';
comment on column mart.dim_date.month is 'Month of the year, 1 to 12; sorts month_name';
comment on column mart.dim_date.month_name is 'Name of the month, in English';
comment on column mart.dim_date.year_month is 'Year and month, as in 2026-11';
comment on column mart.dim_date.year_month_sort is 'Year and month as a number, as in 202611; sorts year_month';
comment on column mart.dim_date.weekday is 'Day of the week, 1 for Monday to 7 for Sunday';
comment on column mart.dim_date.working_day is '1 from Monday to Friday, else 0: a month''s sum counts its working days, holidays among them';
comment on column mart.dim_date.is_future is 'Whether the month is after the history of the current run; null where nothing is shown';

create view mart.dim_organization with (security_barrier) as
select mart_key.key as organization_key, mart_key.value as organization
from mart_key
where kind = 'organization'
    and (
        (select everything from mart_scope)
        or key = any ((select organization_keys from mart_scope)::int[])
    );

comment on view mart.dim_organization is 'Organizations that runs have named, as far as the login may see them';
comment on column mart.dim_organization.organization_key is 'Integer that stays with the organization for ever';
comment on column mart.dim_organization.organization is 'The organization, as in the order lines';

create view mart.dim_customer with (security_barrier) as
select mart_key.key as customer_key, mart_key.value as customer
from mart_key
where kind = 'customer'
    and (
        (select everything from mart_scope)
        or key in (select customer_key from mart_seen where customer_key is not null)
    );

comment on view mart.dim_customer is 'Customers that runs have named, as far as they buy from organizations that the login may see';
comment on column mart.dim_customer.customer_key is 'Integer that stays with the customer for ever';
comment on column mart.dim_customer.customer is 'The customer, as in the order lines; one that buys from several organizations has one row';

create view mart.dim_material with (security_barrier) as
select mart_key.key as material_key, mart_key.value as material
from mart_key
where kind = 'material'
    and (
        (select everything from mart_scope)
        or key in (select material_key from mart_seen where material_key is not null)
    );

comment on view mart.dim_material is 'Materials that runs have named, as far as organizations sell them that the login may see';
comment on column mart.dim_material.material_key is 'Integer that stays with the material for ever';
comment on column mart.dim_material.material is 'The material, as in the order lines; one that several organizations sell has one row';

create view mart.dim_run with (security_barrier) as
select
    run.number as run_key,
    run.id as run,
    run.origin,
    run.published_at at time zone 'UTC' as published_at,
    current_run.run_id is not null as is_current,
    row_number() over (partition by run.origin order by run.published_at desc, run.id desc) = 1 as is_last_of_origin,
    run.unit,
    run.horizon as horizon_months,
    run.model,
    run.snapshot
from run
left join current_run on current_run.run_id = run.id
where run.published_at is not null and exists (select from mart_grant where login = session_user::text);

comment on view mart.dim_run is 'Runs that are or were shown; one that was refused is not among them';
comment on column mart.dim_run.run_key is 'Integer that stays with the run for ever';
comment on column mart.dim_run.run is 'Id of the run, as the service and tonnage runs call it';
comment on column mart.dim_run.origin is 'First day of the last month of history: the run forecasts the months after it';
comment on column mart.dim_run.published_at is 'When it was first shown, in UTC';
comment on column mart.dim_run.is_current is 'Whether it is shown now: true for one run';
comment on column mart.dim_run.is_last_of_origin is 'Whether no later run was published from the same origin: to count each origin once';
comment on column mart.dim_run.unit is 'Unit of all quantities of the run; never add up runs of different units';
comment on column mart.dim_run.horizon_months is 'Months forecast after the origin';
comment on column mart.dim_run.model is 'Version of the model that forecast it';
comment on column mart.dim_run.snapshot is 'Id of the order lines that it was made from';

create view mart.dim_level with (security_barrier) as
select
    key as level_key,
    level,
    coalesce(cardinality(string_to_array(nullif(level, 'total'), ',')), 0) as depth,
    'organization' = any (string_to_array(level, ',')) as names_organization
from mart_level
where (select everything from mart_scope)
    or 'organization' = any (string_to_array(level, ','))
    and exists (select from mart_grant where login = session_user::text);

comment on view mart.dim_level is 'Levels of the hierarchy that runs have had. Filter by one: levels contain each other and do not add up';
comment on column mart.dim_level.level_key is 'Integer that stays with the level for ever';
comment on column mart.dim_level.level is 'The keys and attributes by which the level divides demand, joined by commas; total for none';
comment on column mart.dim_level.depth is 'How many keys and attributes it names; 0 for the total; sorts level';
comment on column mart.dim_level.names_organization is 'Whether each of its nodes is of one organization';

create view mart.dim_node with (security_barrier) as
select
    mart_seen.node_id as node_key,
    mart_seen.level_key,
    coalesce(
        nullif(
            concat_ws(
                ' / ', node.organization, node.customer, node.material,
                nullif(array_to_string(node.attributes, ' / '), '')
            ),
            ''
        ),
        'total'
    ) as node,
    mart_seen.organization_key,
    mart_seen.customer_key,
    mart_seen.material_key,
    node.organization,
    node.customer,
    node.material,
    nullif(array_to_string(node.attributes, ' / '), '') as attributes
from mart_seen
join node on node.id = mart_seen.node_id;

comment on view mart.dim_node is 'Nodes of all levels that runs have had: what a row of fact_forecast_level is about';
comment on column mart.dim_node.node_key is 'Integer that stays with the node for ever';
comment on column mart.dim_node.level_key is 'Its level: see dim_level';
comment on column mart.dim_node.node is 'What it names, joined by slashes; total for the total. Two levels may write a node alike';
comment on column mart.dim_node.organization_key is 'See dim_organization; null where it sums over them';
comment on column mart.dim_node.customer_key is 'See dim_customer; null where it sums over them';
comment on column mart.dim_node.material_key is 'See dim_material; null where it sums over them';
comment on column mart.dim_node.organization is 'The organization; null where it sums over them';
comment on column mart.dim_node.customer is 'The customer; null where it sums over them';
comment on column mart.dim_node.material is 'The material; null where it sums over them';
comment on column mart.dim_node.attributes is 'Values of the attributes that its level names, in that order, joined by slashes; null for none';

-- Facts --------------------------------------------------------------------------------------------------

create view mart.fact_forecast with (security_barrier) as
select
    run.number as run_key,
    mart_seen.organization_key,
    mart_seen.customer_key,
    mart_seen.material_key,
    forecast.month as period_start,
    (
        12 * (date_part('year', forecast.month) - date_part('year', run.origin))
        + date_part('month', forecast.month) - date_part('month', run.origin)
    )::int as lead_months,
    run.published_at at time zone 'UTC' as published_at,
    forecast.mean
from run
join mart_level leaf on leaf.level = run.levels[cardinality(run.levels)] collate "C"
join mart_seen on mart_seen.level_key = leaf.key
join forecast on forecast.run_id = run.id and forecast.node_id = mart_seen.node_id
where run.published_at is not null;

comment on view mart.fact_forecast is 'What each shown run forecast at its finest level: adds up over organizations, customers, materials and months. Filter by one run';
comment on column mart.fact_forecast.run_key is 'The run: see dim_run';
comment on column mart.fact_forecast.organization_key is 'See dim_organization; null where the run does not divide by it';
comment on column mart.fact_forecast.customer_key is 'See dim_customer; null where the run does not divide by it';
comment on column mart.fact_forecast.material_key is 'See dim_material; null where the run does not divide by it';
comment on column mart.fact_forecast.period_start is 'First day of the month that is forecast: see dim_date';
comment on column mart.fact_forecast.lead_months is 'Months from the origin of the run: 1 for the first that it forecasts';
comment on column mart.fact_forecast.published_at is 'When the run was first shown, in UTC. Rows never change, so refresh incrementally by this';
comment on column mart.fact_forecast.mean is 'Expected quantity, in the unit of the run; adds up';

-- offset 0 has nodes joined before their months are unfolded: PostgreSQL takes an array for one row.
create view mart.fact_actual with (security_barrier) as
select
    known.organization_key,
    known.customer_key,
    known.material_key,
    (known.panel_first + make_interval(months => (bought.place - 1)::int))::date as period_start,
    known.published_at at time zone 'UTC' as published_at,
    bought.quantity
from (
    select
        mart_seen.organization_key,
        mart_seen.customer_key,
        mart_seen.material_key,
        run.panel_first,
        run.published_at,
        history.quantity
    from current_run
    join run on run.id = current_run.run_id
    join mart_level leaf on leaf.level = run.levels[cardinality(run.levels)] collate "C"
    join mart_seen on mart_seen.level_key = leaf.key
    join history on history.run_id = run.id and history.node_id = mart_seen.node_id
    offset 0
) known
cross join unnest(known.quantity) with ordinality bought (quantity, place);

comment on view mart.fact_actual is 'What was bought, at the finest level, as the current run knows it: every month of its history, zeros included. Adds up';
comment on column mart.fact_actual.organization_key is 'See dim_organization; null where the run does not divide by it';
comment on column mart.fact_actual.customer_key is 'See dim_customer; null where the run does not divide by it';
comment on column mart.fact_actual.material_key is 'See dim_material; null where the run does not divide by it';
comment on column mart.fact_actual.period_start is 'First day of the month: see dim_date';
comment on column mart.fact_actual.published_at is 'When the current run, which tells this, was first shown, in UTC';
comment on column mart.fact_actual.quantity is 'Quantity bought, in the unit of the current run; adds up';

create view mart.fact_forecast_level with (security_barrier) as
select
    run.number as run_key,
    mart_seen.level_key,
    mart_seen.node_id as node_key,
    mart_seen.organization_key,
    mart_seen.customer_key,
    mart_seen.material_key,
    forecast.month as period_start,
    (
        12 * (date_part('year', forecast.month) - date_part('year', run.origin))
        + date_part('month', forecast.month) - date_part('month', run.origin)
    )::int as lead_months,
    run.published_at at time zone 'UTC' as published_at,
    forecast.mean,
    forecast.quantiles[array_position(run.probabilities, 0.1::float8)] as p10,
    forecast.quantiles[array_position(run.probabilities, 0.5::float8)] as p50,
    forecast.quantiles[array_position(run.probabilities, 0.9::float8)] as p90
from run
join forecast on forecast.run_id = run.id
join mart_seen on mart_seen.node_id = forecast.node_id
where run.published_at is not null;

comment on view mart.fact_forecast_level is 'What each shown run forecast at every level, with quantiles. Levels contain each other and quantiles do not add up: filter by one run and one level, and add nothing but means of one level';
comment on column mart.fact_forecast_level.run_key is 'The run: see dim_run';
comment on column mart.fact_forecast_level.level_key is 'The level: see dim_level. Filter by one';
comment on column mart.fact_forecast_level.node_key is 'The node: see dim_node';
comment on column mart.fact_forecast_level.organization_key is 'See dim_organization; null where the node sums over them';
comment on column mart.fact_forecast_level.customer_key is 'See dim_customer; null where the node sums over them';
comment on column mart.fact_forecast_level.material_key is 'See dim_material; null where the node sums over them';
comment on column mart.fact_forecast_level.period_start is 'First day of the month that is forecast: see dim_date';
comment on column mart.fact_forecast_level.lead_months is 'Months from the origin of the run: 1 for the first that it forecasts';
comment on column mart.fact_forecast_level.published_at is 'When the run was first shown, in UTC. Rows never change, so refresh incrementally by this';
comment on column mart.fact_forecast_level.mean is 'Expected quantity, in the unit of the run; adds up within a level';
comment on column mart.fact_forecast_level.p10 is 'One in ten comes to less; does not add up. Null where the run has it not';
comment on column mart.fact_forecast_level.p50 is 'The median; does not add up. Null where the run has it not';
comment on column mart.fact_forecast_level.p90 is 'One in ten comes to more; does not add up. Null where the run has it not';

create view mart.fact_accuracy with (security_barrier) as
select distinct on (score.month, score.run_id, score.level)
    run.number as run_key,
    mart_level.key as level_key,
    score.month as period_start,
    score.lead as lead_months,
    score.nodes,
    score.new_nodes,
    score.gone_nodes,
    score.actual,
    score.demand,
    score.error,
    score.absolute_error,
    nullif(score.seasonal_error, 'NaN') as seasonal_error,
    case when score.seasonal_error <> 'NaN' then score.absolute_error end as compared_error,
    case when score.seasonal_error <> 'NaN' then score.demand end as compared_demand,
    2 * (select sum(loss) from unnest(score.pinball) loss) / nullif(cardinality(score.pinball), 0) as quantile_loss,
    case when cardinality(score.pinball) > 0 then score.demand end as quantile_demand,
    score.within as within_p10_p90,
    case when score.within is not null then score.nodes end as interval_nodes,
    score.scaled_error,
    score.scaled_nodes
from score
join run on run.id = score.run_id
join run teller on teller.id = score.by_run
join mart_level on mart_level.level = score.level collate "C"
where (select everything from mart_scope)
order by score.month, score.run_id, score.level, teller.origin desc, teller.published_at desc;

comment on view mart.fact_accuracy is 'Each month that came against each run that forecast it, summed over the nodes of a level, as the newest run tells it. Filter by one level: then all adds up, and measures are ratios of sums. Only for logins that see all organizations';
comment on column mart.fact_accuracy.run_key is 'The run that is scored: see dim_run';
comment on column mart.fact_accuracy.level_key is 'The level: see dim_level. Filter by one';
comment on column mart.fact_accuracy.period_start is 'First day of the month that came: see dim_date';
comment on column mart.fact_accuracy.lead_months is 'Months from the origin of the scored run';
comment on column mart.fact_accuracy.nodes is 'Nodes scored, new and gone ones among them';
comment on column mart.fact_accuracy.new_nodes is 'Nodes that the run did not have: all that came is error';
comment on column mart.fact_accuracy.gone_nodes is 'Nodes that nothing came of any more: all that was forecast is error';
comment on column mart.fact_accuracy.actual is 'What came, in the unit of the run';
comment on column mart.fact_accuracy.demand is 'Sum of absolute actual quantities: what WAPE and bias are shares of';
comment on column mart.fact_accuracy.error is 'Sum of the mean less what came: bias is error by demand';
comment on column mart.fact_accuracy.absolute_error is 'Sum of absolute errors of the median, or of the mean where the run has none: WAPE is this by demand';
comment on column mart.fact_accuracy.seasonal_error is 'The same of the seasonal naive, which says what was twelve months before; null where that is not known';
comment on column mart.fact_accuracy.compared_error is 'absolute_error where seasonal_error is known, to compare it with';
comment on column mart.fact_accuracy.compared_demand is 'demand where seasonal_error is known';
comment on column mart.fact_accuracy.quantile_loss is 'Twice the pinball loss, mean over quantiles: WQL is this by quantile_demand; null without quantiles';
comment on column mart.fact_accuracy.quantile_demand is 'demand where the run has quantiles';
comment on column mart.fact_accuracy.within_p10_p90 is 'Nodes that came from p10 to p90: coverage is this by interval_nodes, and should be 0.8; null where the run has not both';
comment on column mart.fact_accuracy.interval_nodes is 'nodes where the run has p10 and p90';
comment on column mart.fact_accuracy.scaled_error is 'Sum of absolute errors by each node''s mean difference to the year before: MASE is this by scaled_nodes';
comment on column mart.fact_accuracy.scaled_nodes is 'Nodes that have such a difference';

grant usage on schema mart to tonnage_mart;
grant select on all tables in schema mart to tonnage_mart;
