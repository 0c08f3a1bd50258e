"""Fuzz one subject with atheris: `python -m tests.fuzz.fuzz SUBJECT [libFuzzer flags]`; see docs/fuzzing.md.

atheris is no dependency of the project: install it into an environment of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # not there for most

with atheris.instrument_imports(include=["ami_exporter"]):
    from tests.fuzz.subjects import SUBJECTS, quiet

from tests.fuzz.seeds import dictionary, seeds


def main() -> None:
    """Run until stopped, or until -runs or -max_total_time is reached; a finding is written to crash-…"""
    subject, *flags = sys.argv[1:]
    quiet()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds(subject)):
            (corpus / str(number)).write_bytes(seed)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{word}"\n' for word in dictionary(subject)))
        atheris.Setup([sys.argv[0], f"-dict={words}", *flags, str(corpus)], SUBJECTS[subject])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
