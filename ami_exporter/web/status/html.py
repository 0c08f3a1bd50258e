"""HTML from template files: every value is escaped, unless it came out of a template itself."""

import html
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from string import Template

_CODE = re.compile("`([^`]+)`")


class Html(str):
    """Text that is HTML already; only `fill` and `join` make it from what people wrote."""

    __slots__ = ()


def fill(template: str, **values: str | int) -> Html:
    """Return the template file with its $names replaced; anything but Html is escaped, quotes included."""
    safe = {name: value if isinstance(value, Html) else html.escape(str(value)) for name, value in values.items()}
    return Html(_load(template).substitute(safe))


def prose(text: str) -> Html:
    """Return a sentence as HTML, what stands in `backticks` as code."""
    return Html(_CODE.sub(r"<code>\1</code>", html.escape(text)))


def join(pieces: Iterable[Html]) -> Html:
    """Return the pieces one after another."""
    return Html("".join(pieces))


@cache
def read(name: str) -> str:
    """Return a template file's text; the files never change while the program runs."""
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


@cache
def _load(name: str) -> Template:
    return Template(read(name))
