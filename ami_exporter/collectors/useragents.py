"""Maps user agents to a closed list of families: they may contain a person's name, address or number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

from ami_exporter.collectors.fields import OTHER

_FAMILIES: Final = """
    2N|3CX|3CXPhone|8x8|Aastra|Acrobits|Adtran|Alcatel-Lucent|Algo|Androsip|Antisip|Asterisk|Asterisk PBX
    AsteriskNOW|AudioCodes|Audiocodes-Sip-Gateway|Avaya|AVM|AVM FRITZ!Box|AVM FRITZ!Fon|Baresip|Barix
    BelledonneCommunications|Blink|Bria|Browser Phone|CallWeaver|Cisco|Cisco ATA|Cisco-CP|Cisco-SIPGateway|Cisco/SPA
    CounterPath|CSipSimple|CyberData|D-Link|Digium|Dinstar|Doorbird|drachtio|Draytek|Ekiga|Elastix|Escene|eyeBeam
    Fanvil|Fanvil A|Fanvil C|Fanvil H|Fanvil i|Fanvil V|Fanvil X|Flowroute|FPBX|FreePBX|FreeSWITCH
    FreeSWITCH-mod_sofia|FRITZ!OS|Gigaset|GoIP|Grandstream|Grandstream DP|Grandstream GDS|Grandstream GRP
    Grandstream GVC|Grandstream GXP|Grandstream GXV|Grandstream GXW|Grandstream HT|Grandstream UCM|Grandstream WP
    Groundwire|Hotphone|Htek|IPitomy|Issabel|JAIN-SIP|Jitsi|JitsiMeet|JsSIP|Kamailio|Kapanga|Lifesize
    Linksys|Linksys/PAP|Linksys/SPA|Linphone|LinphoneAndroid|LinphoneDesktop|LinphoneiOS|LinphoneMac|Mediant
    Mediatrix|MicroSIP|Mitel|Mitel Border GW|mjsip|Mobicents|Mobotix|Mocet|NetGear|Nokia|Obihai|OBIHAI/OBi|Ooma
    OpenScape|OpenSIPS|oSIP|Panasonic|Patton|Phoner|PhonerLite|pjsip|PJSUA|Poly|Polycom|PolycomRealPresence
    PolycomSoundPointIP-SPIP|PolycomSoundStationIP-SSIP|PolycomVVX-VVX|PolyEdge|PortaSIP|PortSIP|QuteCom|RingCentral
    Sangoma|Siemens|SIP.js|sipgate|SIPGW|SIPnetic|SIPp|SIPPER|Sipura|snom|snom-m|Sonos|SonusSBC
    SoundPointIP|SPA|Spectralink|Starface|StarTrinity|SunComm|Tadiran|TANDBERG|Thomson|Tiptel|Twilio|Twinkle|UniFi
    Unify|Valcom|VaxSIPUserAgent|Vega|Vodia|VoIPster|Vonage|VTech|Welltech|Wildix|X-Lite|XMediusFAX|Xorcom
    Yate|Yealink|Yealink CP|Yealink SIP VP-T|Yealink SIP-CP|Yealink SIP-T|Yealink SIP-W|Yealink T|Yealink VC
    Yealink W|Yeastar|Zoiper|ZTE|Zultys|Zulu|Zycoo|ZyXEL
"""
_ALIASES: Final = {"z 5": "Zoiper", "z 3": "Zoiper", "fritz!": "FRITZ!OS", "obi": "Obihai", "ucm": "Grandstream UCM"}
"""Beginning of a user agent (lower case) → family, if they differ."""
_LONGEST: Final = 40
REMEMBERED: Final = 500
"""User agents whose family is remembered: a PBX's phones have few, and each poll lists all."""


@cache
def _families() -> dict[str, str]:
    names = (name.strip() for line in _FAMILIES.split("\n") for name in line.split("|"))
    return {name.lower(): name for name in sorted(filter(None, names), reverse=True)} | _ALIASES


@cache
def _begins() -> re.Pattern[str]:
    longest_first: Iterable[str] = sorted(_families(), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def user_agent(written: str) -> str:
    """Return the family of a User-Agent by its beginning; `other` if it is not in the list.

    "Yealink SIP-T46S 66.86.0.15" is "Yealink SIP-T", "snom760/8.7.3" is "snom", "John Smith's iPhone" is "other".
    """
    return _family(written[:_LONGEST])


@lru_cache(REMEMBERED)
def _family(beginning: str) -> str:
    found = _begins().match(beginning.lstrip().lower())
    return OTHER if found is None else _families()[found[0]]


def families() -> frozenset[str]:
    """Return all families."""
    return frozenset(_families().values()) | {OTHER}
