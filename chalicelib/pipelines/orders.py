"""Orders of a web shop, one CSV file per export; the newest state of an order wins."""

from chalicelib.pipeline import CSV, Column, GlueJob, Pipeline, Table

pipeline = Pipeline(
    name="orders",
    description="Orders of a web shop; a later file replaces the orders that it names again.",
    landing_prefix="incoming/orders/",
    source=CSV(),
    columns=(
        Column(name="order_id", type="integer", required=True, minimum=1, unique=True),
        Column(name="ordered_at", type="timestamp", required=True),
        Column(name="customer", type="text", required=True, longest=80),
        Column(name="email", type="text", longest=120),
        Column(name="country", type="text", required=True, allowed=("DE", "ES", "FR", "GB", "PT", "US")),
        Column(name="product", type="text", required=True, longest=120),
        Column(name="quantity", type="integer", required=True, minimum=1, maximum=1000),
        Column(name="unit_price", type="decimal", precision=12, scale=2, required=True, minimum=0),
        Column(name="gift", type="boolean", required=True),
        Column(name="deliver_on", type="date"),
    ),
    largest_for_lambda=8 * 1024 * 1024,
    glue_job=GlueJob(name="process_csv", first_wait=5),
    table=Table(name="orders", mode="upsert", keys=("order_id",)),
)
