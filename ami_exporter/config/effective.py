"""The current configuration as `/config` shows it: YAML in the form of the file, secrets and numbers masked."""

from __future__ import annotations

import yaml

from ami_exporter.config.target_settings import DOCUMENT, Settings


def effective_yaml(settings: Settings) -> str:
    """Write every setting of every target, with defaults filled in."""
    return yaml.safe_dump(DOCUMENT.written(settings), sort_keys=False, allow_unicode=True, width=120)
