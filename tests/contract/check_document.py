#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks documents from standard input, one a line, as their readers would.

check_document.py schema DIR NAME   JSON documents against DIR/NAME.schema.json
check_document.py openmetrics       one OpenMetrics text; prints the families' names
"""
import json
import pathlib
import sys


def check_schema(directory, name):
    from jsonschema import Draft202012Validator, RefResolver

    schemas = [json.loads(path.read_text()) for path in pathlib.Path(directory).glob("*.json")]
    for schema in schemas:
        Draft202012Validator.check_schema(schema)
    store = {schema["$id"]: schema for schema in schemas}
    schema = json.loads((pathlib.Path(directory) / f"{name}.schema.json").read_text())
    validator = Draft202012Validator(schema, resolver=RefResolver.from_schema(schema, store=store))
    wrong = 0
    for line in sys.stdin:
        for error in validator.iter_errors(json.loads(line)):
            print(f"{name}: {error.json_path}: {error.message[:200]}")
            wrong += 1
    return wrong


def check_openmetrics():
    from prometheus_client.openmetrics.parser import text_fd_to_metric_families

    for family in text_fd_to_metric_families(sys.stdin):
        print(family.name)
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "schema":
        sys.exit(1 if check_schema(sys.argv[2], sys.argv[3]) else 0)
    sys.exit(check_openmetrics())
