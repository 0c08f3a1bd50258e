import base64
import hashlib
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from ami_exporter.web.status.humanize import counted, duration, instant, number
from ami_exporter.web.status.page import status_page
from ami_exporter.web.status.target import short_version, shortened
from ami_exporter.web.views import CanaryView, CollectorState, CollectorView, LinkState, LinkView, StatusView
from tests.support.statuses import down, faulty, view, waiting, well
from tests.support.web import FakeService, running


class Page(HTMLParser):
    """The page's elements and text; fails on a tag that is closed wrongly."""

    VOID = ("meta", "link", "input")

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open and data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def draw(status: StatusView, chosen: str | None = None) -> Page:
    return Page(status_page(status, "metrics", chosen).body.decode())


def test_one_well_target_is_shown_open_with_everything() -> None:
    page = draw(view(well("default")))
    assert page.words[0] == "All is well – ami-exporter"
    for words in (
        "As of 2026-11-23 04:05:12 UTC. Running for 3 d 8 h.",
        "✓ up for 3 d 4 h · Asterisk 22.5.0",
        "Address default.example.net:5038 Labels site=berlin Last scrape 3.0 s ago, took 80 ms",
        "Up since 2026-11-20 00:05:12 UTC (3 d 4 h)",
        "Poll link ✓ up since 2026-11-20 00:05:12 UTC (3 d 4 h)",
        "Events 41.7 per second",
        "Series 1 312",
        "Collectors of default Collector Result Took Age channels ✓ ok 4.2 ms 3.1 s core ✓ ok",
    ):
        assert words in page.text
    assert "What to do" not in page.text
    assert [d for d in page.all("details") if "open" in d] == [
        {"class": "target", "id": "target-default", "open": None}
    ]
    assert "./metrics" in [a["href"] for a in page.all("a")][-1:]


def test_faults_come_with_what_to_do_and_the_missing_rights() -> None:
    page = draw(view(faulty("default"), reload_error="config.yml:8:5: unknown key"))
    for words in (
        "Target default: up, with faults",
        "The last reload failed: the configuration before it stays in force config.yml:8:5: unknown key",
        "1 collector with a fault, events link down, write=reporting missing, read=agent,call missing",
        ", 1 canary failing, series dropped",
        "write=reporting : the AMI user lacks it: no FAXStats; run ami-exporter doctor",
        "read=agent,call : no such event came where one was due: the AMI user lacks it, or an eventfilter",
        "canary telco-b : its last call did not succeed: rejected (503); check this trunk",
        "limits : more label sets than limits.series_per_metric of asterisk_device_state: raise it",
        "events link : connection refused; is AMI enabled?",
        "queues : not done at the deadline; raise timeout",
        "write = reporting,system would add: PJSIPShowEndpoints.",
        "telco-a ✓ success 2026-11-23 04:04:12 UTC 2026-11-23 04:19:12 UTC",
        "telco-b ✗ rejected 503 2026-11-23 04:03:12 UTC 2026-11-23 04:18:12 UTC",
        "telco-c … no call yet never 2026-11-23 04:05:42 UTC",
        "98 213, 1 204 dropped by limits.series_per_metric",
        # faults first
        "queues ✗ fault not done at the deadline – – voicemail … waiting – –",
        "trunks – not offered not offered; needs write=system – – channels ✓ ok",
    ):
        assert words in page.text


TROUBLES: dict[str, Any] = {
    "collectors": [CollectorView("queues", CollectorState.FAULT)],
    "links": [LinkView("user_events", LinkState.DOWN)],
    "missing_rights": "FAXStats",
    "missing_classes": ["agent"],
    "canaries": [CanaryView("telco", "no_answer")],
    "dropping": ["asterisk_device_state"],
}


@pytest.mark.parametrize("field", TROUBLES)
def test_whatever_is_in_trouble_the_verdict_says_so_and_what_to_do(field: str) -> None:
    page = draw(view(replace(well("default"), **{field: TROUBLES[field]})))
    assert page.words[0] == "Target default: up, with faults – ami-exporter"
    assert page.text.count("What to do") == 1
    (trouble,) = draw(view(*map(well, "abcde"), replace(well("x"), **{field: TROUBLES[field]}))).all("table")
    assert trouble


def test_of_a_target_that_is_down_or_was_never_asked_no_other_trouble_is_told() -> None:
    for target in (replace(down("default"), advice="no route"), waiting("default")):
        page = draw(view(replace(target, **TROUBLES)))
        assert page.text.count("FAXStats") == 0
        assert page.text.count("user events link down") == 0


@pytest.mark.parametrize("count", [1, 3])
def test_a_configuration_that_cannot_be_loaded_is_not_well(count: int) -> None:
    page = draw(view(*map(well, "abc"[:count]), reload_error="config.yml:8:5: unknown key"))
    assert page.words[0] == "The configuration needs attention – ami-exporter"


def test_what_was_never_scraped_is_not_called_well() -> None:
    page = draw(view(well("a"), well("b"), waiting("c")))
    assert page.words[0] == "2 of 3 targets are well, 1 not scraped yet – ami-exporter"


def test_the_worst_comes_first() -> None:
    page = draw(view(well("a"), faulty("b"), waiting("c"), down("d")))
    assert page.words[0] == "2 of 4 targets need attention – ami-exporter"
    assert "1 down 1 up, with faults 1 not scraped yet 1 up and well" in page.text
    places = [page.text.index(f"Metrics of {name}") for name in "dbca"]
    assert places == sorted(places)
    assert "d : login refused: check the secret in manager.conf" in page.text
    assert [d["id"] for d in page.all("details") if "open" in d] == ["target-d", "target-b"]


def test_a_fleet_is_a_summary_first_and_the_rest_is_folded() -> None:
    names = [f"pbx{n:03d}" for n in range(197)]
    status = view(*map(well, names), down("x1"), down("x2"), faulty("x3"))
    page = draw(status)
    assert page.words[0] == "3 of 200 targets need attention – ami-exporter"
    assert page.all("details") == []
    assert (
        "x1 x1.example.net:5038 ✗ down for 12 min 34 s site=munich login refused: check the secret in manager.conf"
        in page.text
    )
    assert page.text.index("x3 x3.example.net") < page.text.index("pbx000")
    assert [a["href"] for a in page.all("a") if "?target=pbx" in (a["href"] or "")][:2] == [
        "./?target=pbx000",
        "./?target=pbx001",
    ]
    assert len(status_page(status, "metrics").body) < 100_000


def test_many_faulty_targets_are_not_all_shown_whole() -> None:
    page = draw(view(*(down(f"pbx{n}") for n in range(200))))
    assert page.all("details") == []
    assert page.text.count("login refused") == 200


def test_of_thousands_the_page_shows_some_and_says_how_to_find_the_others() -> None:
    status = view(*(down(f"bad{n}") for n in range(400)), *(well(f"pbx{n}") for n in range(4600)))
    assert "100 more: filter by name" in draw(status).text
    assert "4300 more: filter by name" in draw(status).text
    assert len(status_page(status, "metrics").body) < 250_000


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("pbx7", ["pbx7"]),
        ("PBX site=berlin", [f"pbx{n}" for n in range(8)]),
        ("state:down", ["x1"]),
        ("example.net:5038 x", ["x1", *(f"pbx{n}" for n in range(8))]),
        ("nothing-like-it", []),
    ],
)
def test_the_filter_needs_no_script(words: str, shown: list[str]) -> None:
    status = view(*(well(f"pbx{n}") for n in range(8)), down("x1"))
    page = Page(status_page(status, "metrics", None, words).body.decode())
    links = [str(a["href"]) for a in page.all("a")]
    assert [link.removeprefix("./?target=") for link in links if link.startswith("./?target=")] == shown
    assert f"{len(shown)} of 9 shown. Show all" in page.text
    assert [field["value"] for field in page.all("input")] == [words]
    assert "./?filter=state:down" in links


def test_a_target_that_is_down_says_its_reason_once_and_lists_no_collectors() -> None:
    target = replace(down("default"), collectors=[CollectorView("core", CollectorState.FAULT, reason="down: x")] * 18)
    page = draw(view(target))
    assert page.text.count("login refused: check the secret") == 1
    assert page.all("table") == []


def test_one_target_of_a_fleet_can_be_shown_whole() -> None:
    page = draw(view(*(well(f"pbx{n}") for n in range(50))), chosen="pbx7")
    assert page.words[0] == "Target pbx7 – ami-exporter"
    assert "Collectors of pbx7" in page.text
    assert "pbx8" not in page.text
    assert "./probe?target=pbx7" in [a["href"] for a in page.all("a")]


def test_without_targets_the_page_says_what_to_do_next() -> None:
    page = draw(view())
    assert "Next: name your PBX" in page.text
    assert "--ami.address" in page.text
    assert "ami-exporter doctor" in page.text


@pytest.mark.parametrize(
    ("names", "link", "snippet"),
    [
        (["default"], "./metrics", "metrics_path: /metrics static_configs"),
        (["a b", "c"], "./probe?target=a+b", "metrics_path: /probe http_sd_configs"),
    ],
)
def test_before_the_first_scrape_the_page_says_what_to_do_next(names: list[str], link: str, snippet: str) -> None:
    page = draw(view(*map(waiting, names)))
    assert page.words[0] == "Ready for the first scrape – ami-exporter"
    assert link in [a["href"] for a in page.all("a")]
    assert snippet in page.text


HOSTILE = "<script>alert(1)</script>\"'&\u202e\x00\udc80"


def test_whatever_a_pbx_or_a_file_says_stays_text() -> None:
    target = replace(faulty(HOSTILE), version=HOSTILE, advice=HOSTILE, missing_rights=HOSTILE, further_rights=HOSTILE)
    collectors = [replace(c, name=HOSTILE, reason=HOSTILE, advice=HOSTILE) for c in target.collectors]
    links = [replace(link, name=HOSTILE, detail=HOSTILE) for link in target.links]
    target = replace(target, collectors=collectors, links=links)
    for status in (view(target, reload_error=HOSTILE), view(*[target] * 30), view(*[waiting(HOSTILE)] * 30)):
        markup = status_page(status, "metrics").body.decode()
        assert "<script" not in markup
        assert "alert(1)" in markup
        page = Page(markup)
        assert page.all("script") == []
        assert {name for _, attrs in page.elements for name in attrs if name.startswith("on")} == set()


def test_nothing_in_a_value_is_read_as_a_template() -> None:
    assert "$style ${name} $$" in draw(view(replace(down("a"), advice="$style ${name} $$"))).text


def test_the_policy_allows_our_style_sheet_and_nothing_else() -> None:
    response = status_page(view(), "metrics")
    policy = dict(response.headers)["Content-Security-Policy"]
    style = re.search(rb"<style>(.*)</style>", response.body, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert "style=" not in response.body.decode()


def test_the_page_can_be_read_with_a_screen_reader_and_used_with_a_keyboard() -> None:
    page = draw(view(well("a"), faulty("b"), waiting("c"), down("d")))
    assert page.all("html") == [{"lang": "en"}]
    assert [len(page.all(tag)) for tag in ("main", "h1", "nav", "header", "footer")] == [1, 1, 1, 1, 1]
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 0
    assert {attrs.get("scope") for attrs in page.all("th")} == {"col", "row"}
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = [attrs["aria-labelledby"] for _, attrs in page.elements if "aria-labelledby" in attrs]
    assert set(named) <= set(ids)
    scrolling = [attrs for attrs in page.all("div") if attrs.get("class") == "scroll"]
    assert all(attrs["tabindex"] == "0" and attrs["role"] == "region" and attrs["aria-label"] for attrs in scrolling)


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    full = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    parts = [int(full[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_aa_in_light_and_dark() -> None:
    body = status_page(view(), "metrics").body.decode()
    schemes = re.findall(r":root \{(.*?)\}", body, re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = {name: luminance(value) for name, value in re.findall(r"--([\w-]+): (#\w+)", scheme)}
        pairs = [("fg", "bg"), ("muted", "bg"), ("link", "bg"), ("fg", "panel"), ("link", "panel"), ("muted", "panel")]
        pairs += [(name, f"{name}-bg") for name in ("ok", "bad", "note")] + [("bad", "panel")]
        for front, back in pairs:
            light, dark = sorted((colours[front], colours[back]), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back)


def test_the_page_over_http_takes_a_target_and_a_filter() -> None:
    service = FakeService(view=view(well("pbx1"), well("pbx2")))
    with running(service) as web:
        assert web.ask("/").headers["content-type"] == "text/html; charset=utf-8"
        assert web.ask("/?target=pbx2").text.count("Collectors of pbx2") == 2
        assert web.ask("/?target=pbx3").status == 400
        assert web.ask("/?x=y").text == 'unknown parameter "x"; valid parameters: filter, target\n'


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (-1, "0.0 ms"),
        (0.0042, "4.2 ms"),
        (0.042, "42 ms"),
        (3.14, "3.1 s"),
        (42.4, "42 s"),
        (754, "12 min 34 s"),
        (7300, "2 h 1 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_in_words_of_which_none_is_torn_from_its_unit(seconds: float | None, words: str) -> None:
    assert duration(seconds) == re.sub(r"(?<=[0-9]) ", "\u00a0", words)


def test_other_words() -> None:
    assert (instant(None), instant(0)) == ("never", "1970-01-01 00:00:00 UTC")
    assert (number(None), number(1234567), number(0.25, 1)) == ("–", "1\u202f234\u202f567", "0.2")
    assert (counted(1, "target"), counted(2, "target"), counted(2, "fax", "faxes")) == (
        "1 target",
        "2 targets",
        "2 faxes",
    )


def test_what_is_too_long_is_cut_behind_a_word_or_within_one_that_fills_it() -> None:
    assert [shortened(text, 6) for text in ("abc de", "abc defg", "abcdefgh")] == ["abc de", "abc …", "abcdef …"]
    assert short_version("22.10.1~dfsg+~cs6.17.60671434-1") == "22.10.1"
    assert short_version("GIT-22-" + "f" * 40) == "GIT-22-fffffffffffffffff …"
