"""Validates lines of JSON, by command, against the definitions of a schema: validate.py SCHEMA LINES."""

import json
import sys

from jsonschema import Draft202012Validator

schema, lines = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
Draft202012Validator.check_schema(schema)


def forbid_others(definition):
    """Lets nothing pass that the schema does not name. Readers are more tolerant than this test."""
    if isinstance(definition, dict):
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
            list(map(forbid_others, definition["properties"].values()))
        forbid_others(definition.get("items"))


faults = 0
for command, objects in lines.items():
    definition = schema["$defs"].get(command)
    if definition is None:
        print(f"{command}: is not in the schema")
        faults += 1
        continue
    forbid_others(definition)
    validator = Draft202012Validator(definition)
    for line in objects:
        for error in validator.iter_errors(line):
            print(f"{command}: {error.json_path}: {error.message}")
            faults += 1
for command in schema["$defs"].keys() - lines.keys():
    print(f"{command}: is in the schema, but was not run")
    faults += 1
print(f"{len(lines)} commands, {sum(map(len, lines.values()))} lines")
sys.exit(faults > 0)
