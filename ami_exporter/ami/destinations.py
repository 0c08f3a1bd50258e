"""Where a canary call may go: some numbers are never dialled, whatever the configuration says.

Numbers are compared by their digits, as they are and without prefixes that a PBX or a carrier strips: an outside line,
an international prefix with a country code, a service code, an area code.
"""

from __future__ import annotations

import re
from typing import Final

MAX_CHANNEL: Final = 100
MIN_DIGITS: Final = 6
"""Shorter numbers are extensions or short codes of services, and need `internal: true`."""
_PREFIX_DIGITS: Final = 2
"""Digits of a dialling prefix that may stand before an emergency number."""
CONTEXT: Final = "ami-canary"
"""The one dialplan context that Local channels may enter."""

EMERGENCY: Final = frozenset(
    {
        # Worldwide, and on every mobile network (3GPP TS 22.101, 10.1)
        *("112", "911", "999", "000", "110", "118", "119", "08"),
        # Police, ambulance, fire and sea rescue by country (ITU-T E.129, national numbering plans)
        *("15", "17", "18", "061", "062", "065", "066", "068", "080", "085", "088", "091", "092"),
        *(
            "100",
            "101",
            "102",
            "103",
            "104",
            "105",
            "106",
            "107",
            "108",
            "109",
            "111",
            "113",
            "114",
            "115",
            "116",
            "117",
        ),
        *(
            "120",
            "121",
            "122",
            "123",
            "124",
            "125",
            "126",
            "127",
            "128",
            "129",
            "130",
            "131",
            "132",
            "133",
            "134",
            "135",
        ),
        *(
            "140",
            "141",
            "144",
            "145",
            "147",
            "150",
            "151",
            "155",
            "156",
            "158",
            "159",
            "160",
            "161",
            "162",
            "165",
            "166",
        ),
        *(
            "170",
            "171",
            "175",
            "177",
            "180",
            "185",
            "188",
            "190",
            "191",
            "192",
            "193",
            "194",
            "195",
            "196",
            "197",
            "198",
        ),
        *("199", "900", "901", "902", "903", "906", "912", "913", "914", "917", "919", "922", "933", "977", "988"),
        *("990", "991", "992", "993", "994", "995", "996", "997", "998"),
        *(
            "1010",
            "1122",
            "1155",
            "1300",
            "1515",
            "1530",
            "1554",
            "1669",
            "10111",
            "10177",
            "19222",
            "116000",
            "116117",
        ),
        *("116123", "112112", "911911", "999999"),
    }
)
"""Numbers of police, fire, ambulance, rescue and crisis lines of all countries, refused in every country."""
_WELL_KNOWN: Final = frozenset({"112", "911", "999", "000", "110", "119", "118", "113", "115", "102", "103", "101"})
"""Numbers that are also refused behind any two digits, because a PBX may use any digits for an outside line."""

_CHANNEL: Final = re.compile(r"(?P<technology>[A-Za-z0-9_]+)/(?P<rest>[A-Za-z0-9_.+*#@:/-]+)")
_NUMBER: Final = re.compile(r"[wWpP]*[+*#0-9.\-wWpP]*[0-9][+*#0-9.\-wWpP]*")
_SERVICE_CODE: Final = re.compile(r"[*#]{1,2}[0-9]{2,3}[*#]?")
_COUNTRY: Final = (
    r"(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|(?:2[1-689]|35|37|38|42|50|59|67|68|69|80|85|87|88|96|97|99)[0-9])"
)
_INTERNATIONAL: Final = re.compile(rf"(?:[0-9]{{0,2}}(?:00|011|0011|010|810))?{_COUNTRY}0?")
_AREA: Final = re.compile(r"[0-9]{0,2}0[1-9][0-9]{1,4}(?P<number>[0-9]{3})")


def refusal(channel: str, *, internal: bool) -> str:
    """Return why a canary call to this channel (`TECH/…`) is never made; empty if it may be.

    internal: the destination may have fewer than MIN_DIGITS digits. Emergency numbers are still refused.
    """
    if "&" in channel:
        return "expected one destination: & would call several at once"
    found = _CHANNEL.fullmatch(channel)
    if found is None or len(channel) > MAX_CHANNEL:
        return (
            "expected TECH/number@trunk, TECH/trunk/number or TECH/endpoint of letters, digits and _.+*#@:/-, "
            f"at most {MAX_CHANNEL} characters"
        )
    technology, rest = found["technology"], found["rest"]
    context = rest.partition("@")[2].partition("/")[0]  # an option such as /n may follow
    if technology.lower() == "local" and context.lower() != CONTEXT:
        return f"expected Local/…@{CONTEXT}: a canary enters no other context of the dialplan"
    parts = [part for part in re.split(r"[/@:]", rest) if part]
    for part in parts:
        if any(is_emergency(digits) for digits in _dialled(part)):
            return "that is an emergency number of some country, which is never dialled"
    most = max((len(re.sub("[^0-9]", "", part)) for part in parts if _NUMBER.fullmatch(part)), default=0)
    if most < MIN_DIGITS and not internal:
        return f"expected a number of at least {MIN_DIGITS} digits, or internal: true for an extension of your own"
    return ""


def _dialled(part: str) -> set[str]:
    """Return the digits that a part of a channel may stand for: with and without a leading service code."""
    if not _NUMBER.fullmatch(part):
        return set()
    plain = re.sub(r"[wWpP.\-]", "", part)
    return {re.sub("[^0-9]", "", form) for form in (plain, _SERVICE_CODE.sub("", plain, count=1))}


def is_emergency(digits: str) -> bool:
    """Whether digits reach an emergency service somewhere, by themselves or behind a dialling prefix."""
    if digits in EMERGENCY or digits[1:] in EMERGENCY or (digits[:2] in ("00", "99", "90") and digits[2:] in EMERGENCY):
        return True
    if len(digits) <= MIN_DIGITS and digits[-3:] in _WELL_KNOWN and len(digits) - 3 <= _PREFIX_DIGITS:
        return True
    if any(digits.endswith(one) and _INTERNATIONAL.fullmatch(digits[: -len(one)]) for one in EMERGENCY):
        return True
    area = _AREA.fullmatch(digits)
    return area is not None and len(digits) <= MIN_DIGITS + 2 and area["number"] in _WELL_KNOWN
