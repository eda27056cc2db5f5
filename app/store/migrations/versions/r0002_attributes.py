"""Nodes have attributes from master data beside the keys of order lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = "0001"

_KEYS = ("organization", "customer", "material")


def upgrade() -> None:
    """Add the column, empty for every node there is, and make it part of what tells nodes apart."""
    op.add_column(
        "node",
        sa.Column(
            "attributes",
            ARRAY(sa.Text(collation="C")),
            server_default="{}",
            nullable=False,
            comment="values of the attributes that level names after its keys, in that order",
        ),
    )
    op.alter_column(
        "node", "level", comment="the keys that are not null, then the attributes, joined by commas"
    )
    op.drop_constraint("node_level_organization_customer_material_key", "node")
    op.create_unique_constraint(
        "node_level_organization_customer_material_attributes_key",
        "node",
        ["level", *_KEYS, "attributes"],
        postgresql_nulls_not_distinct=True,
    )
