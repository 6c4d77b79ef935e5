"""Add, list and remove a stage's API tokens."""

from __future__ import annotations

from dataclasses import replace

import click

from cli import remote_stages
from cli.deploying import app_option, stage_option, target_of, told
from cli.output import console, json_option, print_json, print_table

ROLES = ("viewer", "operator", "approver")


@click.group()
def tokens() -> None:
    """Add, list and remove the tokens that open a stage's REST API."""


@tokens.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What its holder may do.")
@click.option("--use", is_flag=True, help="Have the commands on this machine use it.")
@stage_option
@app_option
@json_option
@told
def add(name: str, role: str, stage: str, app: str, *, use: bool, as_json: bool) -> None:
    """Make a token and show its secret this once; the stage keeps a digest only."""
    from infrastructure.deployment.tokens import Tokens  # noqa: PLC0415 - imports boto3

    secret = Tokens(target_of(stage, app)).add(name, role)
    known = remote_stages.find(stage)
    if use and known:
        remote_stages.keep(replace(known, api_token=secret))
    if as_json:
        print_json({"name": name, "role": role, "token": secret})
        return
    console.print(secret, markup=False, soft_wrap=True)
    console.print(f"{name}, role {role}; it is shown this once and works within a minute", style="dim")
    if use and not known:
        console.print(f"not kept here: this machine has not deployed {stage}; export DECANT_API_TOKEN")


@tokens.command("list")
@stage_option
@app_option
@json_option
@told
def list_(stage: str, app: str, *, as_json: bool) -> None:
    """List the tokens' names and roles."""
    from infrastructure.deployment.tokens import Tokens  # noqa: PLC0415 - imports boto3

    entries = [
        {"name": entry["name"], "role": entry["role"]} for entry in Tokens(target_of(stage, app)).entries()
    ]
    if as_json:
        print_json(entries)
    else:
        print_table(("name", "role"), [(entry["name"], entry["role"]) for entry in entries])


@tokens.command()
@click.argument("name")
@stage_option
@app_option
@told
def remove(name: str, stage: str, app: str) -> None:
    """Have the stage refuse a token from now on."""
    from infrastructure.deployment.tokens import FORGOTTEN_AFTER, Tokens  # noqa: PLC0415 - imports boto3

    Tokens(target_of(stage, app)).remove(name)
    console.print(f"{name} is removed; a request may still pass for {FORGOTTEN_AFTER}")
