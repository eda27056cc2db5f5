"""The demo: a seeded order book in two source systems, through the whole house, on the embedded database."""

from pathlib import Path

from tonnage.demo_sources import load_sources, make_source_tables
from tonnage.order_book import LAST
from tonnage.wiring import House

MONTH = LAST

CONFIG = """\
# The demo's configuration, written by `tonnage demo`: two ERP systems that name and measure differently.

[forecast]
horizon = 12
quantiles = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]

[sources.nord]
url = "env:TONNAGE_DATABASE_URL"
table = "demo_nord.order_line"

[sources.nord.columns]
line = "position"
organization = "company"
customer = "customer_no"
material = "article"
date = "requested_date"
quantity = "quantity"
unit = "uom"
status = "state"

[sources.west]
url = "env:TONNAGE_DATABASE_URL"
query = "select * from demo_west.orders"

[sources.west.columns]
line = "doc_line"
organization = "sales_org"
customer = "sold_to"
material = "grade"
date = "wish_date"
quantity = "qty"
unit = "unit"
status = "status"
"""


LIVING = (
    CONFIG
    + """
# Months run themselves: see docs/operations.md.

[schedule]
time_zone = "Europe/Berlin"
holidays = "DE-NW"

[contest]
challengers = ["smoothing"]
origins = 12
"""
)


def prepare_demo(house: House) -> Path:
    """Fill the two source systems, unless they are filled already; the path of the configuration."""
    load_sources(house.engine, make_source_tables)
    path = house.settings.home / "demo.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path
