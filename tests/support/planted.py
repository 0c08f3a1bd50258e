"""Secrets and personal data planted in real servers, so that a test can look for them in every output.

Each value is unlike anything a program prints by itself. `PLANTED` holds all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

# AMI users of every server: name -> secret. What each may do is in tests/real/config/base/manager.conf.
AMI_SECRETS: Mapping[str, str] = {
    "nothing": "plAnted-ami-nothing-91",
    "reporting": "plAnted-ami-reporting-92",
    "system": "plAnted-ami-system-93",
    "all": "plAnted-ami-all-94",
    "events": "plAnted-ami-events-95",
    "cli": "plAnted-ami-cli-96",
    "canary": "plAnted-ami-canary-97",
}
PHONE_SECRET = "plAnted-phone-52"
TRUNK_SECRET = "plAnted-trunk-53"
IAX_SECRET = "plAnted-iax-54"
WRONG_SECRET = "plAnted-wrong-55"
VOICEMAIL_PIN = "830417"
AGENT_PIN = "830418"

EMAIL = "frida.planted@mailbox.invalid"
PAGER = "frida.planted@pager.invalid"
PERSON = "Frida Plantedname"

# Numbers of the people who call; 990 is no country's code.
CALLER_NUMBER = "+9903155512340"
CALLEE_NUMBER = "+9903155598760"

PLANTED: tuple[str, ...] = (
    *AMI_SECRETS.values(),
    PHONE_SECRET,
    TRUNK_SECRET,
    IAX_SECRET,
    WRONG_SECRET,
    VOICEMAIL_PIN,
    AGENT_PIN,
    EMAIL,
    PAGER,
    PERSON,
    CALLER_NUMBER.removeprefix("+"),
    CALLEE_NUMBER.removeprefix("+"),
)
