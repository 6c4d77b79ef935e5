"""The steps a workflow can call: one module, one Lambda, one state name each."""

from chalicelib.steps.catalogue import catalogue
from chalicelib.steps.check_glue_job import check_glue_job
from chalicelib.steps.clean_feedback import clean_feedback
from chalicelib.steps.clean_flights import clean_flights
from chalicelib.steps.combine_flights import combine_flights
from chalicelib.steps.compute_metrics import compute_metrics
from chalicelib.steps.copy_to_redshift import copy_to_redshift
from chalicelib.steps.find_flight_files import find_flight_files
from chalicelib.steps.keep_good_rows import keep_good_rows
from chalicelib.steps.load_metrics import load_metrics
from chalicelib.steps.notify import notify
from chalicelib.steps.plan_taxi import plan_taxi
from chalicelib.steps.publish_metrics import publish_metrics
from chalicelib.steps.quarantine_file import quarantine_file
from chalicelib.steps.start_glue_job import start_glue_job
from chalicelib.steps.transform_file import transform_file
from chalicelib.steps.validate_file import validate_file

__all__ = [
    "catalogue",
    "check_glue_job",
    "clean_feedback",
    "clean_flights",
    "combine_flights",
    "compute_metrics",
    "copy_to_redshift",
    "find_flight_files",
    "keep_good_rows",
    "load_metrics",
    "notify",
    "plan_taxi",
    "publish_metrics",
    "quarantine_file",
    "start_glue_job",
    "transform_file",
    "validate_file",
]
