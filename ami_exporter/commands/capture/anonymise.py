"""Anonymises the headers of an answer: each is kept, dropped, or has its names replaced. Pure.

Only headers known to hold Asterisk's own words and figures are kept. Values of headers in no table are replaced word by
word, so that a header of an unknown module gives nothing away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.commands.capture.pseudonyms import Pseudonyms

_KEPT = """
    event response ping amiversion asteriskversion coremaxcalls coremaxloadavg coremaxfilehandles corerealtimeenabled
    corecdrenabled corehttpenabled corestartupdate corestartuptime corereloaddate corereloadtime corecurrentcalls
    coreprocessedcalls soundssearchcustomdir
    channelstate channelstatedesc language priority type timetohangup application nativeformats readformat readtrans
    writeformat writetrans callgroup pickupgroup seconds duration
    bridgetype bridgetechnology bridgecreator bridgenumchannels bridgevideosourcemode bridgepriority bridgesuspended
    state status statustext
    max strategy calls holdtime talktime completed abandoned servicelevel servicelevelperf servicelevelperf2 weight
    membership penalty callstaken lastcall lastpause logintime incall paused wrapuptime position wait loggedin
    available callers longestholdtime loggedintime callstarted parties marked locked muted
    startspace stopspace timeout parkeechannelstate parkeechannelstatedesc parkeelanguage parkeepriority parkingspace
    parkingtimeout parkingduration
    saydurationminimum sayenvelope saycid attachmessage attachmentformat deletemessage volumegain canreview
    canmarkurgent calloperator maxmessagecount maxmessagelength newmessagecount oldmessagecount
    currentsessions reservedsessions transmitattempts receiveattempts completedfaxes failedfaxes
    technology sessionnumber sessiontype operation
    objecttype devicestate activechannels qualifytimeout qualify2xxonly pruneonboot viaport authenticatequalify
    qualifyfrequency expirationtime roundtripusec minimumexpiration defaultexpiration maximumexpiration supportpath
    removeunavailable maxcontacts removeexisting regexpire maxretries securitynegotiation authrejectionpermanent
    maxrandominitialdelay retryinterval forbiddenretryinterval fatalretryinterval expiration line supportoutbound
    nextreg channeltype chanobjecttype mask port dynamic trunk encryption dnsmanager refresh ipport autoforcerport
    forcerport autocomedia comedia videosupport textsupport acl realtimedevice domainport registrationtime
    dahdichannel signalling signallingcode dnd alarm span alarms irq bpviol crc framing coding dchannel order active up
"""
KEPT: Final = frozenset(_KEPT.split())
"""Headers (lower case) whose values are Asterisk's own words and figures."""

_DROPPED = """
    actionid privilege timestamp callerid dnid data applicationdata appdata description callid path viaaddr viaaddress
    outboundproxy contactheaderparams files filename variable fullname email pager serveremail fromstring mailcommand
    timezone callback dialout imapuser password secret md5cred md5secret oauthsecret refreshtoken
"""
DROPPED: Final = frozenset(_DROPPED.split())
"""Headers that hold people's data or secrets, or that differ from one capture to the next and tell nothing."""

_DROPPED_PARTS: Final = ("callerid", "connectedline", "chanvariable", "password", "secret")
_CHANNELS: Final = frozenset({"channel", "talkingtochan", "parkeechannel"})
_UNIQUE_IDS: Final = frozenset({"uniqueid", "linkedid", "parkeeuniqueid", "parkeelinkedid"})
_BRIDGE_IDS: Final = frozenset({"bridgeid", "bridgeuniqueid"})

_HEADER: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CHANNEL: Final = re.compile(r"(.*)(-[0-9a-f]+(?:;[12])?)")
_UNIQUE_ID: Final = re.compile(r"(|.*-)([0-9]{9,11}\.[0-9]{1,10})")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def anonymous(message: Message, names: Pseudonyms) -> Iterator[tuple[str, str]]:
    """Headers (lower case) and values of one packet, in wire order, without private data."""
    for header, value in message.pairs():
        if header in KEPT:
            yield header, value
        elif _may_be_written(header):
            yield header, _replaced(header, value, names)


def _may_be_written(header: str) -> bool:
    """Whether a header may be written. Its name may itself contain data, as in ChanVariable(SIP/x)."""
    return (
        header not in DROPPED
        and _HEADER.fullmatch(header) is not None
        and not any(part in header for part in _DROPPED_PARTS)
    )


def _replaced(header: str, value: str, names: Pseudonyms) -> str:
    if header in _CHANNELS and (channel := _CHANNEL.fullmatch(value)):
        return names.text(channel[1]) + channel[2]
    if header in _UNIQUE_IDS and (unique := _UNIQUE_ID.fullmatch(value)):
        return names.text(unique[1]) + unique[2]
    if header in _BRIDGE_IDS and _UUID.fullmatch(value):
        return value
    return names.text(value)
