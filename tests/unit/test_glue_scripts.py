from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "glue_scripts"
SHARED = {
    "cell", "described", "write", "settings", "resolved_options", "read_integer", "read_decimal",
    "read_float", "read_boolean", "read_date", "read_timestamp", "read_text",
}  # fmt: skip


def functions(script: str) -> dict[str, str]:
    tree = ast.parse((SCRIPTS / script).read_text())
    return {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_both_scripts_read_cells_alike():
    csv, json = functions("process_csv.py"), functions("process_json.py")
    assert set(csv) >= SHARED
    assert {name: csv[name] for name in SHARED} == {name: json[name] for name in SHARED}


def test_the_python_shell_script_keeps_to_python_39_and_what_glue_has_there():
    tree = ast.parse((SCRIPTS / "clean_sales.py").read_text(), feature_version=(3, 9))
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in named} <= {"boto3", "pyarrow"} | sys.stdlib_module_names


@pytest.mark.parametrize("script", ["process_csv.py", "process_json.py"])
def test_a_script_imports_only_what_glue_has(script):
    tree = ast.parse((SCRIPTS / script).read_text())
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    allowed = {"awsglue", "pyspark"} | sys.stdlib_module_names
    assert {name.split(".")[0] for name in named} <= allowed
