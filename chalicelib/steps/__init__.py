"""The steps a workflow can call: one module, one Lambda, one state name each."""

from chalicelib.steps.catalogue import catalogue
from chalicelib.steps.check_glue_job import check_glue_job
from chalicelib.steps.copy_to_redshift import copy_to_redshift
from chalicelib.steps.keep_good_rows import keep_good_rows
from chalicelib.steps.notify import notify
from chalicelib.steps.plan_taxi import plan_taxi
from chalicelib.steps.quarantine_file import quarantine_file
from chalicelib.steps.start_glue_job import start_glue_job
from chalicelib.steps.transform_file import transform_file
from chalicelib.steps.validate_file import validate_file

__all__ = [
    "catalogue",
    "check_glue_job",
    "copy_to_redshift",
    "keep_good_rows",
    "notify",
    "plan_taxi",
    "quarantine_file",
    "start_glue_job",
    "transform_file",
    "validate_file",
]
