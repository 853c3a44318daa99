"""Checks a config against its JSON Schema, as far as flat configs need it."""

import json

_TYPES = {"string": str, "integer": int, "boolean": bool, "number": (int, float), "array": list, "object": dict}


def findings(schema, raw, secret_specs, secret_names):
    """Returns every fault as (path, summary, detail), offline. raw is the config as bytes."""
    try:
        config = json.loads(raw or b"{}")
    except ValueError as e:
        return [("", f"the config is not JSON: {e}", "")]
    if not isinstance(config, dict):
        return [("", "the config is not an object", "")]
    found = []
    options = schema["properties"]
    for name in schema.get("required", []):
        if name not in config:
            found.append((f"/{name}", "is required and not set", options[name]["description"]))
    for name, value in config.items():
        if name not in options:
            found.append((f"/{name}", "is not an option of this connector", "options here: " + ", ".join(sorted(options))))
        elif not _is(value, options[name]["type"]):
            found.append((f"/{name}", f"is not of type {options[name]['type']}", options[name]["description"]))
    for spec in secret_specs:
        if spec.required and spec.name not in secret_names:
            found.append((f"secrets/{spec.name}", "this secret is required and was not given", spec.description))
    return sorted(found)


def _is(value, type_name):
    if isinstance(value, bool):  # which is an int in Python
        return type_name == "boolean"
    return isinstance(value, _TYPES[type_name])


def with_defaults(schema, raw):
    """Returns a config that was found good, with what it leaves out."""
    config = json.loads(raw or b"{}")
    for name, option in schema["properties"].items():
        if name not in config and "default" in option:
            config[name] = option["default"]
    return config
