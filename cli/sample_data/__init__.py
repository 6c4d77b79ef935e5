"""Sample data that looks real: one module for each system; the same seed writes the same bytes."""
