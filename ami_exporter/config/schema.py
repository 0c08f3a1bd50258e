"""JSON Schema of the configuration, for editors: `python -m ami_exporter.config.schema` writes schema.json.

It is less strict than the loader: rules about several keys, other files and existing collectors are missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ami_exporter.config.kinds import Shape
from ami_exporter.config.target_settings import DOCUMENT

PATH: Final = Path(__file__).with_name("schema.json")


def generate() -> dict[str, Any]:
    """Make the schema from the models."""
    models: dict[str, Shape] = {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of ami-exporter",
        **DOCUMENT.shape(models),
        "$defs": models,
    }


def text() -> str:
    """Write the schema as the file holds it."""
    return json.dumps(generate(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text())
