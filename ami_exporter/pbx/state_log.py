"""Logs changes of state, and nothing else."""

from __future__ import annotations

import logging
import threading


class StateLog:
    """Logs a message when a state changes, so never one line a scrape. Thread-safe."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._states: dict[tuple[str, ...], object] = {}
        self._lock = threading.Lock()

    def note(self, key: tuple[str, ...], state: object, level: int, message: str, **extra: object) -> bool:
        """Log the message if the key's state has changed since the last call; return whether it has."""
        with self._lock:
            if key in self._states and self._states[key] == state:
                return False
            self._states[key] = state
        self._logger.log(level, "%s", message, extra=extra)
        return True

    def forget(self, first: str) -> None:
        """Drop the states of all keys with this prefix (of a target that was removed)."""
        with self._lock:
            self._states = {key: state for key, state in self._states.items() if key[:1] != (first,)}
