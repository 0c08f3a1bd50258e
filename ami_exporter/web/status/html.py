"""Fills HTML templates: escapes every value that is not template output itself."""

import html
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from string import Template

_CODE = re.compile("`([^`]+)`")


class Html(str):
    """Text that is already HTML. Other text becomes Html only through `fill` and `prose`, which escape it."""

    __slots__ = ()


def fill(template: str, **values: str | int) -> Html:
    """Fill in the $names of a template file; escape every value but Html, quotes included."""
    safe = {name: value if isinstance(value, Html) else html.escape(str(value)) for name, value in values.items()}
    return Html(_load(template).substitute(safe))


def prose(text: str) -> Html:
    """Return a sentence as HTML, with text in `backticks` as code."""
    return Html(_CODE.sub(r"<code>\1</code>", html.escape(text)))


def join(pieces: Iterable[Html]) -> Html:
    return Html("".join(pieces))


@cache
def read(name: str) -> str:
    """Return a template file's text. Cached: the files do not change while the program runs."""
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


@cache
def _load(name: str) -> Template:
    return Template(read(name))
