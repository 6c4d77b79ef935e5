"""What the project itself knows: its functions' memory and its Glue jobs' capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infrastructure.chalice_config import FUNCTIONS
from infrastructure.render import ROOT, render
from infrastructure.workflow_cost.question import GlueCapacity

if TYPE_CHECKING:
    from pathlib import Path

DPUS = {"G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "G.12X": 12, "G.16X": 16}
"""Data processing units of a worker by its type: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html"""

SMALLEST_SHELL = 0.0625
"""The capacity of a Python Shell job that does not say."""


def memory() -> dict[str, int]:
    """Return the megabytes of each function by its name."""
    return {name: settings["lambda_memory_size"] for name, settings in FUNCTIONS.items()}


def glue_capacities(root: Path = ROOT) -> dict[str, GlueCapacity]:
    """Return what each Glue job of the template is given, by its logical id and by its name without stage."""
    found = {}
    for logical, resource in render("local", root)["Resources"].items():
        if resource["Type"] == "AWS::Glue::Job":
            properties = resource["Properties"]
            name = str(properties.get("Name", {}).get("Fn::Sub", logical)).rpartition("-")[2]
            found[logical] = found[name] = capacity(properties)
    return found


def capacity(properties: dict[str, Any]) -> GlueCapacity:
    """Return the capacity that a Glue job's properties ask for."""
    if properties.get("Command", {}).get("Name") == "pythonshell":
        dpus = float(properties.get("MaxCapacity", SMALLEST_SHELL))
        return GlueCapacity(dpus=dpus, python_shell=True, source="the template: Python Shell")
    kind, workers = properties.get("WorkerType", "G.1X"), int(properties.get("NumberOfWorkers", 10))
    return GlueCapacity(dpus=DPUS[kind] * workers, source=f"the template: {workers} workers {kind}")
