"""JSON Schema of the configuration, for editors: `python -m ami_exporter.config.schema` writes schema.json.

It says less than the loader: what depends on two keys, on other files or on this version's collectors is not in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ami_exporter.config.document import Document

PATH: Final = Path(__file__).with_name("schema.json")
ALSO: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("TargetDoc", "trunks"): {"const": "auto"},
    ("TargetDoc", "tls"): {"type": "boolean"},
    ("MetricDoc", "value"): {"type": "string"},
}
"""Short forms that validators take before the model sees them: (model, key) → schema of the short form."""
SHORT_VALUES: Final = (("MetricDoc", "labels"), ("CustomDoc", "where"))
"""Mappings whose values have a text as short form."""
EITHER_SECRET: Final = [{"not": {"required": ["secret", other]}} for other in ("secret_file", "secret_env")] + [
    {"not": {"required": ["secret_file", "secret_env"]}}
]


class _WithoutDefaults(GenerateJsonSchema):
    """Leaves defaults out: they are checked values (9.0), not what people write (9s); descriptions tell them."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Describe the value only."""
        return self.generate_inner(schema["schema"])


def generate() -> dict[str, Any]:
    """Make the schema from the models."""
    schema: dict[str, Any] = _plain(Document.model_json_schema(schema_generator=_WithoutDefaults))
    for (model, key), short in ALSO.items():
        prop = schema["$defs"][model]["properties"][key]
        schema["$defs"][model]["properties"][key] = {"description": prop.pop("description"), "anyOf": [short, prop]}
    for model, key in SHORT_VALUES:
        patterns = schema["$defs"][model]["properties"][key]["patternProperties"]
        for pattern, inner in patterns.items():
            patterns[pattern] = {"anyOf": [{"type": "string"}, inner]}
    for model in ("TargetDoc", "AmiUserDoc"):
        schema["$defs"][model]["allOf"] = EITHER_SECRET
    schema["properties"]["defaults"] = {"$ref": "#/$defs/TargetDoc"}
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Configuration of ami-exporter"}
    return about | schema


def text() -> str:
    """Write the schema as the file holds it."""
    return json.dumps(generate(), indent=2, ensure_ascii=False) + "\n"


def _plain(node: Any) -> Any:
    """Drop what pydantic adds for programs: titles, and null as another word for "not written"."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _plain(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    options = [option for option in kept.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        del kept["anyOf"]
        kept = options[0] | kept
    elif options:
        kept["anyOf"] = options
    return kept


if __name__ == "__main__":
    PATH.write_text(text())
