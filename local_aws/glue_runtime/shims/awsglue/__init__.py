"""The part of AWS Glue's `awsglue` library that ordinary job scripts use, on plain PySpark.

What is missing raises an error that names it; nothing is accepted and ignored.
"""
