"""The steps a workflow can call: one module, one Lambda, one state name each."""

from chalicelib.steps.catalogue import catalogue
from chalicelib.steps.catalogue_group import catalogue_group
from chalicelib.steps.check_glue_job import check_glue_job
from chalicelib.steps.clean_feedback import clean_feedback
from chalicelib.steps.clean_flights import clean_flights
from chalicelib.steps.combine_flights import combine_flights
from chalicelib.steps.compute_metrics import compute_metrics
from chalicelib.steps.copy_group import copy_group
from chalicelib.steps.copy_to_redshift import copy_to_redshift
from chalicelib.steps.find_flight_files import find_flight_files
from chalicelib.steps.find_new_sales import find_new_sales
from chalicelib.steps.judge_sales import judge_sales
from chalicelib.steps.keep_good_rows import keep_good_rows
from chalicelib.steps.load_metrics import load_metrics
from chalicelib.steps.notify import notify
from chalicelib.steps.plan_batch import plan_batch
from chalicelib.steps.plan_sales_queries import plan_sales_queries
from chalicelib.steps.plan_taxi import plan_taxi
from chalicelib.steps.publish_metrics import publish_metrics
from chalicelib.steps.publish_sales import publish_sales
from chalicelib.steps.quarantine_file import quarantine_file
from chalicelib.steps.report_sales import report_sales
from chalicelib.steps.request_approval import request_approval
from chalicelib.steps.start_file_runs import start_file_runs
from chalicelib.steps.start_glue_job import start_glue_job
from chalicelib.steps.summarise_batch import summarise_batch
from chalicelib.steps.transform_file import transform_file
from chalicelib.steps.transform_group import transform_group
from chalicelib.steps.validate_file import validate_file

__all__ = [
    "catalogue",
    "catalogue_group",
    "check_glue_job",
    "clean_feedback",
    "clean_flights",
    "combine_flights",
    "compute_metrics",
    "copy_group",
    "copy_to_redshift",
    "find_flight_files",
    "find_new_sales",
    "judge_sales",
    "keep_good_rows",
    "load_metrics",
    "notify",
    "plan_batch",
    "plan_sales_queries",
    "plan_taxi",
    "publish_metrics",
    "publish_sales",
    "quarantine_file",
    "report_sales",
    "request_approval",
    "start_file_runs",
    "start_glue_job",
    "summarise_batch",
    "transform_file",
    "transform_group",
    "validate_file",
]
