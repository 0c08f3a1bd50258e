"""Voicemail messages by context and by mailbox. Opt-in, because the list counts files on the PBX's disk under a lock.

The list also carries names, e-mail and pager addresses: nothing here reads them.
"""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.collectors.declarations import Collector, Rule, gauge
from ami_exporter.collectors.fields import constant, labels, number, text

POLL: Final = Action("VoicemailUsersList")
ITEM: Final = ("VoicemailUserEntry",)
MIN_INTERVAL: Final = 300.0
"""Seconds. Each list makes the PBX read every mailbox's folders while it holds the lock of all users."""

FOLDERS: Final = (("new", "NewMessageCount"), ("old", "OldMessageCount"))
"""Not a closed set: each mailbox reports all its folders, before Asterisk 12 only the new messages."""

MESSAGES = gauge(
    "asterisk_voicemail_messages",
    "Messages in the mailboxes of a context; requested every 5 minutes at most "
    "(AMI VoicemailUsersList: NewMessageCount, OldMessageCount)",
    "context",
    "folder",
)
MAILBOX_MESSAGES = gauge(
    "asterisk_voicemail_mailbox_messages",
    "Messages in a mailbox; requested every 5 minutes at most "
    "(AMI VoicemailUsersList: NewMessageCount, OldMessageCount)",
    "context",
    "mailbox",
    "folder",
)

VOICEMAIL = Collector(
    name="voicemail",
    title="Voicemail messages by context",
    metrics=(MESSAGES,),
    polls=((POLL,),),
    rules=tuple(
        Rule(MESSAGES, POLL, ITEM, labels(text("VMContext"), constant(folder)), number(header))
        for folder, header in FOLDERS
    ),
    enabled=False,
    min_interval=MIN_INTERVAL,
    filter_label="context",
)
MAILBOXES = Collector(
    name="voicemail_mailboxes",
    title="Voicemail messages by mailbox",
    metrics=(MAILBOX_MESSAGES,),
    polls=((POLL,),),
    rules=tuple(
        Rule(
            MAILBOX_MESSAGES,
            POLL,
            ITEM,
            labels(text("VMContext"), text("VoiceMailbox"), constant(folder)),
            number(header),
        )
        for folder, header in FOLDERS
    ),
    enabled=False,
    min_interval=MIN_INTERVAL,
    filter_label="mailbox",
)
COLLECTORS = (VOICEMAIL, MAILBOXES)
