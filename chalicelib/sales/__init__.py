"""The nightly batch of sales: where its data lie, what was published, its checks and its report."""
