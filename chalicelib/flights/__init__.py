"""Flights and what passengers say of them: how a day's two files are cleaned, combined and measured.

What each figure means is written in docs/tutorials/flight_metrics.md; here is where it is computed.
"""
