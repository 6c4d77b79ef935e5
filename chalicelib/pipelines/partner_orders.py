"""Orders of a partner, read in the partner's own AWS account, which gets a receipt for each file."""

from chalicelib.access import Access
from chalicelib.pipeline import CSV, Column, GlueJob, Pipeline, Table

pipeline = Pipeline(
    name="partner_orders",
    description="Orders that a partner exports into a bucket of its own account.",
    landing_prefix="outgoing/orders/",
    source=CSV(),
    columns=(
        Column(name="order_id", type="integer", required=True, minimum=1, unique=True),
        Column(name="ordered_on", type="date", required=True),
        Column(name="product", type="text", required=True, longest=80),
        Column(name="quantity", type="integer", required=True, minimum=1, maximum=1000),
        Column(name="price", type="decimal", precision=12, scale=2, required=True, minimum=0),
    ),
    largest_for_lambda=256 * 1024,
    glue_job=GlueJob(
        name="partner-process-csv",
        first_wait=5,
        access=Access(role="arn:aws:iam::210987654321:role/decant-job-runner"),
    ),
    table=Table(name="partner_orders", mode="upsert", keys=("order_id",)),
    source_bucket="partner-orders-210987654321",
    source_access=Access(role="arn:aws:iam::210987654321:role/decant-reader"),
    receipt_role="arn:aws:iam::210987654321:role/decant-receipts",
    workflow="load_partner_file",
)
