"""What the rich PBX has beside the templates of tests/real/config/rich: phones, queue agents, voicemail spool."""

from __future__ import annotations

from tests.support import planted

# Numbers of the PBX's PJSIP phones.
PHONES = tuple(str(number) for number in range(1001, 1012))
# Those the peer registers and answers for.
REGISTERED = ("1001", "1002", "1003", "1004", "1005", "1006", "1007", "1011")
# Registered without a phone behind: 1007 beside its good contact, 1008 alone.
NEVER_ANSWERING = ("1007", "1008")
# Registered, but the PBX does not ask whether it is there.
NOT_QUALIFIED = ("1011",)
ANSWERING = tuple(number for number in REGISTERED if number not in NOT_QUALIFIED)
# chan_sip's phones that the peer registers (Asterisk 16).
SIP_REGISTERED = ("2001", "2002")

# Mailbox → messages (new, old).
VOICEMAIL = {"default/1001": (3, 2), "default/1002": (0, 1), "branch.berlin/1001": (1, 0)}

QUEUE_AGENTS = 10

_PHONE = """
[{number}](phone)
aors = {number}
auth = {number}
callerid = {person} <{number}>
[{number}](phone-auth)
username = {number}
[{number}](phone-aor)
{qualify}"""

_MESSAGE = """;
; Message Information file
;
[message]
origmailbox=1001
context=internal
exten=1001
priority=1
callerchan=PJSIP/telco-good-00000001
callerid={caller}
origdate=Mon Nov 23 03:00:00 AM UTC 2026
origtime=1795402800
category=
msg_id=1795402800-{number:08d}
flag=
duration=7
"""


def rich_files() -> dict[str, str]:
    """Path under the server's folder → template text."""
    agents = (f"member => Local/{number}@agents/n,0,Busy Bee {number}\n" for number in range(QUEUE_AGENTS))
    return {
        "etc/generated/phones.conf": "".join(map(_phone, PHONES)),
        "etc/generated/queue-agents.conf": "".join(agents),
        **_voicemail_spool(),
    }


def _phone(number: str) -> str:
    qualify = "qualify_frequency = 0\n" if number in NOT_QUALIFIED else ""
    return _PHONE.format(number=number, person=planted.PERSON, qualify=qualify)


def _voicemail_spool() -> dict[str, str]:
    files = {}
    for mailbox, counts in VOICEMAIL.items():
        for folder, count in zip(("INBOX", "Old"), counts, strict=True):
            for number in range(count):
                path = f"spool/voicemail/{mailbox}/{folder}/msg{number:04d}"
                files[f"{path}.txt"] = _MESSAGE.format(caller=planted.CALLER_NUMBER, number=number)
                files[f"{path}.gsm"] = ""
    return files
