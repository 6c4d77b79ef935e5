"""Every way into Decant: files, schedules, the REST API, and one Lambda per step."""

from dataclasses import asdict
from datetime import datetime

from chalice import Chalice, Cron, Rate

from chalicelib import logs, runs, settings, steps
from chalicelib.api import api
from chalicelib.aws.client import make_usual_clients
from chalicelib.aws.glue import StageJobs
from chalicelib.aws.s3 import S3
from chalicelib.aws.sns import SNS
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.notices.digest import send_digest
from chalicelib.reconcile import reconcile

logs.configure()
make_usual_clients()
app = Chalice(app_name="decant", configure_logs=False)
app.register_middleware(logs.around)
app.register_blueprint(api)


@app.on_s3_event(bucket=settings.landing_bucket(), events=["s3:ObjectCreated:*"], prefix="incoming/")
def file_landed(event):
    return [started.run for started in runs.start_for_event(StepFunctions(), event.to_dict())]


@app.schedule(Rate(15, unit=Rate.MINUTES))
def reconcile_due(event):
    return asdict(reconcile(StepFunctions(), S3(), SNS(), StageJobs()))


@app.schedule(Cron(0, 7, "*", "*", "?", "*"))
def digest_due(event):
    moment = datetime.fromisoformat(event.time)
    sent = send_digest(StepFunctions(), S3(), SNS(), moment)
    return sent.subject if sent else None


@app.schedule(Cron(10, 4, "*", "*", "?", "*"))
def nyc_taxi_due(event):
    return runs.start_for_tick(StepFunctions(), "nyc_taxi", datetime.fromisoformat(event.time)).run


@app.schedule(Cron(30, 5, "*", "*", "?", "*"))
def flight_metrics_due(event):
    return runs.start_for_tick(StepFunctions(), "flight_metrics", datetime.fromisoformat(event.time)).run


@app.schedule(Cron(30, 2, "*", "*", "?", "*"))
def nightly_batch_due(event):
    return runs.start_for_tick(StepFunctions(), "nightly_batch", datetime.fromisoformat(event.time)).run


@app.lambda_function()
def validate_file(event, context):
    return steps.validate_file(event)


@app.lambda_function()
def request_approval(event, context):
    return steps.request_approval(event)


@app.lambda_function()
def keep_good_rows(event, context):
    return steps.keep_good_rows(event)


@app.lambda_function()
def transform_file(event, context):
    return steps.transform_file(event)


@app.lambda_function()
def start_glue_job(event, context):
    return steps.start_glue_job(event)


@app.lambda_function()
def check_glue_job(event, context):
    return steps.check_glue_job(event)


@app.lambda_function()
def catalogue(event, context):
    return steps.catalogue(event)


@app.lambda_function()
def copy_to_redshift(event, context):
    return steps.copy_to_redshift(event)


@app.lambda_function()
def quarantine_file(event, context):
    return steps.quarantine_file(event)


@app.lambda_function()
def plan_batch(event, context):
    return steps.plan_batch(event)


@app.lambda_function()
def transform_group(event, context):
    return steps.transform_group(event)


@app.lambda_function()
def copy_group(event, context):
    return steps.copy_group(event)


@app.lambda_function()
def catalogue_group(event, context):
    return steps.catalogue_group(event)


@app.lambda_function()
def start_file_runs(event, context):
    return steps.start_file_runs(event)


@app.lambda_function()
def summarise_batch(event, context):
    return steps.summarise_batch(event)


@app.lambda_function()
def notify(event, context):
    return steps.notify(event)


@app.lambda_function()
def plan_taxi(event, context):
    return steps.plan_taxi(event)


@app.lambda_function()
def find_flight_files(event, context):
    return steps.find_flight_files(event)


@app.lambda_function()
def clean_flights(event, context):
    return steps.clean_flights(event)


@app.lambda_function()
def clean_feedback(event, context):
    return steps.clean_feedback(event)


@app.lambda_function()
def combine_flights(event, context):
    return steps.combine_flights(event)


@app.lambda_function()
def compute_metrics(event, context):
    return steps.compute_metrics(event)


@app.lambda_function()
def load_metrics(event, context):
    return steps.load_metrics(event)


@app.lambda_function()
def publish_metrics(event, context):
    return steps.publish_metrics(event)


@app.lambda_function()
def find_new_sales(event, context):
    return steps.find_new_sales(event)


@app.lambda_function()
def plan_sales_queries(event, context):
    return steps.plan_sales_queries(event)


@app.lambda_function()
def judge_sales(event, context):
    return steps.judge_sales(event)


@app.lambda_function()
def publish_sales(event, context):
    return steps.publish_sales(event)


@app.lambda_function()
def report_sales(event, context):
    return steps.report_sales(event)
