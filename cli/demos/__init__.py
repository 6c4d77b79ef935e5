"""The demonstrations: one module for each system, with a function `demonstrate`."""
