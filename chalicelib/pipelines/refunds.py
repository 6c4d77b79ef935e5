"""Refunds: money leaves, so a person looks at every file first."""

from chalicelib.pipeline import CSV, Approval, Column, Pipeline, Table

pipeline = Pipeline(
    name="refunds",
    description="Refunds to pay out; a person approves every file.",
    landing_prefix="incoming/refunds/",
    source=CSV(),
    columns=(
        Column(name="refund_id", type="integer", required=True, unique=True),
        Column(name="order_id", type="integer", required=True),
        Column(name="refunded_on", type="date", required=True),
        Column(name="amount", type="decimal", precision=12, scale=2, required=True, minimum=0, maximum=5000),
        Column(name="reason", type="text", required=True, allowed=("damaged", "late", "lost", "returned")),
    ),
    usual_rows=(1, 500),
    approval=Approval(always=True, flags=("unusual_row_count",)),
    table=Table(name="refunds", mode="upsert", keys=("refund_id",)),
)
