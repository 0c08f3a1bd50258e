"""Which console commands may be sent: those that only show something, and nothing secret, personal or expensive.

Asterisk has no such guard: main/manager.c refuses three commands (`module load`, `module unload`, `restart
gracefully`), and with write=command alone `database put` and `channel originate` work. The console accepts any case,
quotes and backslashes, and turns tabs into spaces; none of these are accepted here, so that a command is what it looks
like.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

MAX_COMMAND: Final = 100
"""Characters. The longest useful command has fifty."""

_SHOWING: Final = frozenset({"show", "list"})
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@+=,-]*(?: [A-Za-z0-9_.:/@+=,-]+)*")


class Refused(NamedTuple):
    """A family of commands that is never sent.

    pattern: fnmatch pattern for the whole command in lower case. why: what it would do. source: its code in Asterisk.
    """

    pattern: str
    why: str
    source: str


REFUSED: Final = (
    # Secrets
    Refused("database *", "prints Asterisk's database, secrets and numbers in it", "main/db.c"),
    Refused("iax2 show user*", "prints the users' secrets", "channels/chan_iax2.c: handle_cli_iax2_show_users"),
    Refused("iax2 show prov*", "prints provisioning templates with their secrets", "channels/iax2/provision.c"),
    Refused("sip show user*", "prints the users' secrets", "channels/chan_sip.c: sip_show_users"),
    Refused("sip show *histor*", "prints SIP messages", "channels/chan_sip.c: sip_show_history"),
    Refused("pjsip * auth*", "prints passwords", "res/res_pjsip/config_auth.c"),
    Refused("pjsip show transport *", "prints the key's password", "res/res_pjsip/config_transport.c"),
    Refused("pjsip * histor*", "prints SIP messages, credentials in them", "res/res_pjsip_history.c"),
    Refused("dialplan *", "prints the dialplan, PINs and secrets in it", "main/pbx.c, pbx_variables.c"),
    Refused("core show global*", "prints global variables, which hold secrets", "main/pbx_variables.c"),
    Refused("* show chanvar*", "prints channel variables, which hold secrets", "main/pbx_variables.c"),
    Refused("manager show user*", "prints the AMI users and their rights", "main/manager.c: handle_showmanager"),
    Refused("manager show connect*", "prints addresses of the AMI's users", "main/manager.c: handle_showmanconn"),
    Refused("manager show event*", "prints a page of documentation, or waiting events", "main/manager.c"),
    Refused("ari show user*", "prints the ARI users", "res/ari/cli.c"),
    Refused("dundi *", "prints mappings, with the secrets in them", "pbx/pbx_dundi.c"),
    Refused("config list*", "prints file names of the configuration", "main/config.c"),
    Refused("phoneprov *", "prints what phones are provisioned with", "res/res_phoneprov.c"),
    Refused("keys *", "prints names of private keys", "res/res_crypto.c"),
    Refused("stir_shaken *", "prints certificates, keys' paths and numbers", "res/res_stir_shaken/"),
    Refused("* show password*", "prints passwords", "third-party modules"),
    Refused("* show secret*", "prints secrets", "third-party modules"),
    # Numbers, names and addresses of people
    Refused("core show channel*", "prints callers' numbers and names", "main/cli.c: handle_chanlist, handle_showchan"),
    Refused("core show hint*", "prints extensions and who watches them", "main/pbx.c: handle_show_hints"),
    Refused("core show bridge*", "prints channels", "main/bridge.c"),
    Refused("bridge *", "prints channels", "main/bridge.c: handle_bridge_show_all"),
    Refused("channel *", "prints or changes channels", "main/cli.c"),
    Refused("group *", "prints channels", "main/cli.c: group_show_channels"),
    Refused("* show channel", "prints callers' numbers", "channels/"),
    Refused("* show channel *", "prints callers' numbers", "channels/"),
    Refused("* show channels", "prints callers' numbers or addresses", "channels/"),
    Refused("* show channels *", "prints callers' numbers or addresses", "channels/"),
    Refused("* list channel", "prints callers' numbers", "res/res_pjsip/pjsip_cli.c"),
    Refused("* list channels", "prints callers' numbers", "channels/pjsip/cli_commands.c"),
    Refused("pjsip show contact*", "prints addresses of phones", "res/res_pjsip/location.c"),
    Refused("pjsip list contact*", "prints addresses of phones", "res/res_pjsip/location.c"),
    Refused("pjsip show endpoint*", "prints callers, addresses and caller ids", "res/res_pjsip/pjsip_configuration.c"),
    Refused("pjsip show aor*", "prints addresses of phones", "res/res_pjsip/location.c"),
    Refused("pjsip * subscription*", "prints who watches whom", "res/res_pjsip_pubsub.c"),
    Refused("pjsip * unidentified*", "prints addresses", "res/res_pjsip/pjsip_distributor.c"),
    Refused("sip show peer*", "prints addresses and caller ids of phones", "channels/chan_sip.c: sip_show_peer"),
    Refused("sip show inuse*", "prints users' names", "channels/chan_sip.c: sip_show_inuse"),
    Refused("sip show subscription*", "prints who watches whom", "channels/chan_sip.c"),
    Refused("sip show domain*", "prints addresses", "channels/chan_sip.c"),
    Refused("iax2 show peer*", "prints addresses of peers", "channels/chan_iax2.c"),
    Refused("confbridge list *", "prints the callers of a room", "apps/app_confbridge.c: handle_cli_confbridge_list"),
    Refused("meetme list *", "prints the callers of a room", "apps/app_meetme.c: meetme_show_cmd"),
    Refused("queue show*", "prints callers and agents; action: QueueStatus has the same", "apps/app_queue.c"),
    Refused("agent show*", "prints agents; action: Agents has the same", "apps/app_agent_pool.c"),
    Refused("agent list*", "prints agents", "apps/app_agent_pool.c"),
    Refused("voicemail *", "prints names and mailboxes, and reads the disk", "apps/app_voicemail.c"),
    Refused("minivm *", "prints names and e-mail addresses", "apps/app_minivm.c"),
    Refused("followme *", "prints people's numbers", "apps/app_followme.c"),
    Refused("parking *", "prints parked calls; action: ParkedCalls has the same", "res/parking/parking_ui.c"),
    Refused("parkedcalls *", "prints parked calls", "main/features.c (before 12)"),
    Refused("calendar *", "prints people's appointments", "res/res_calendar.c"),
    Refused("geoloc *", "prints people's places", "res/res_geolocation/"),
    Refused("xmpp *", "prints accounts and people", "res/res_xmpp.c"),
    Refused("jabber *", "prints accounts and people", "res/res_jabber.c"),
    Refused("skinny *", "prints phones and lines", "channels/chan_skinny.c"),
    Refused("sccp *", "prints phones and lines", "chan_sccp"),
    Refused("unistim *", "prints phones", "channels/chan_unistim.c"),
    Refused("mgcp *", "prints phones", "channels/chan_mgcp.c"),
    Refused("mobile *", "prints phones' addresses", "addons/chan_mobile.c"),
    Refused("sla *", "prints lines and stations", "apps/app_sla.c"),
    Refused("mixmonitor *", "prints file names of recordings", "apps/app_mixmonitor.c"),
    Refused("fax show session*", "prints a caller's fax", "res/res_fax.c: cli_fax_show_session"),
    Refused("dongle show device *", "prints number and IMSI of a card", "chan_dongle: cli.c"),
    Refused("quectel show device *", "prints number and IMSI of a card", "chan_quectel: cli.c"),
    # What slows or stops the server
    Refused("core show lock*", "stops the world while it prints every lock", "main/utils.c: handle_show_locks"),
    Refused("core show thread*", "holds the list of threads", "main/asterisk.c: handle_show_threads"),
    Refused("core show translation*", "measures every codec anew with `recalc`", "main/translate.c"),
    Refused("memory *", "walks all memory under a lock", "main/astmm.c: handle_memory_show"),
    Refused("astobj2 *", "walks every object under its locks", "main/astobj2.c"),
    Refused("sorcery *", "walks whole caches", "res/res_sorcery_memory_cache.c"),
    Refused("realtime *", "asks the database, and prints its users", "main/config.c, res/res_config_*.c"),
    Refused("aoc *", "prints what calls cost", "main/aoc.c"),
    Refused("test *", "runs the server's own tests", "main/test.c"),
)
"""Refused although they only show something: with `write=command` they would all work."""


def refusal(command: str) -> str:
    """Return why a console command is never sent; empty if it may be."""
    if len(command) > MAX_COMMAND:
        return f"has {len(command)} characters, expected at most {MAX_COMMAND}"
    if not _PLAIN.fullmatch(command):
        return (
            "expected words of letters, digits and _.:/@+=,- with one space between them: "
            "no line break, tab, quote, backslash, ; or !"
        )
    words = command.lower().split(" ")
    if _SHOWING.isdisjoint(words[:2]):
        return "expected a command that only shows something: its first or second word is show or list"
    line = " ".join(words)
    found = next((rule for rule in REFUSED if fnmatchcase(line, rule.pattern)), None)
    return "" if found is None else f"it {found.why} ({found.source})"
