"""Gives every name that analysts meet its integer key, once."""

from sqlalchemy import Connection, text

# One transaction publishes at a time, so nobody else gives keys meanwhile.
_GIVE = text(
    """
    insert into mart_key (kind, value)
    select 'organization', organization from node where organization is not null
    union select 'customer', customer from node where customer is not null
    union select 'material', material from node where material is not null
    except select kind, value from mart_key
    order by 1, 2
    """
)
_GIVE_LEVELS = text(
    "insert into mart_level (level) select level from node except select level from mart_level order by 1"
)
_WRITE = text(
    """
    insert into mart_node (node_id, level_key, organization_key, customer_key, material_key)
    select node.id, mart_level.key, organization.key, customer.key, material.key
    from node
    join mart_level on mart_level.level = node.level
    left join mart_key organization
        on organization.kind = 'organization' and organization.value = node.organization
    left join mart_key customer on customer.kind = 'customer' and customer.value = node.customer
    left join mart_key material on material.kind = 'material' and material.value = node.material
    where not exists (select from mart_node where mart_node.node_id = node.id)
    """
)


def give_keys(connection: Connection) -> None:
    """Give keys to what the stored nodes name, and write them beside the nodes, as far as there are none."""
    # Of what is new nothing is known yet, and without that a loop over all pairs looks cheap.
    connection.execute(text("set local enable_nestloop = off"))
    connection.execute(_GIVE)
    connection.execute(_GIVE_LEVELS)
    connection.execute(_WRITE)
    connection.execute(text("set local enable_nestloop to default"))
    connection.execute(text("analyze mart_key, mart_level, mart_node"))
