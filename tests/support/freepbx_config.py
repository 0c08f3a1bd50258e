"""What FreePBX would generate for 300 extensions, in its files and its manner of writing; the rest is templates."""

from __future__ import annotations

from tests.support import planted

EXTENSIONS = range(200, 500)
# Extensions that the peer server registers and answers for.
REGISTERED = tuple(str(number) for number in range(200, 220))

_ENDPOINT = """
[{number}]
type=endpoint
aors={number}
auth={number}-auth
tos_audio=ef
tos_video=af41
cos_audio=5
cos_video=4
disallow=all
allow=ulaw,alaw,gsm,g726,g722
context=from-internal
callerid={person} {number} <{number}>
dtmf_mode=rfc4733
direct_media=no
aggregate_mwi=yes
use_avpf=no
rtcp_mux=no
max_audio_streams=1
max_video_streams=1
bundle=no
ice_support=no
media_use_received_transport=no
trust_id_inbound=yes
user_eq_phone=no
send_connected_line=yes
media_encryption=no
timers=yes
timers_min_se=90
media_encryption_optimistic=no
refer_blind_progress=yes
rtp_timeout=30
rtp_timeout_hold=300
send_pai=yes
rtp_symmetric=yes
rewrite_contact=yes
force_rport=yes
language=en
one_touch_recording=on
record_on_feature=apprecord
record_off_feature=apprecord
mailboxes={number}@default
mwi_subscribe_replaces_unsolicited=yes
"""
_AUTH = """
[{number}-auth]
type=auth
auth_type=userpass
password=@PHONE_SECRET@
username={number}
"""
_AOR = """
[{number}]
type=aor
mailboxes={number}@default
max_contacts=1
remove_existing=yes
maximum_expiration=7200
minimum_expiration=60
qualify_frequency=60
"""


def freepbx_files() -> dict[str, str]:
    """The generated half of tests/real/config/freepbx."""
    return {
        "etc/generated/pjsip.endpoint.conf": _each(_ENDPOINT),
        "etc/generated/pjsip.auth.conf": _each(_AUTH),
        "etc/generated/pjsip.aor.conf": _each(_AOR),
        "etc/generated/ext-local.conf": _each(
            "exten => {number},hint,PJSIP/{number}&Custom:DND{number},CustomPresence:{number}\n"
        ),
        "etc/generated/voicemail.conf": _each("{number} => @VOICEMAIL_PIN@,{person},@EMAIL@,,attach=no|saycid=no\n"),
    }


def _each(text: str) -> str:
    return "".join(text.format(number=number, person=planted.PERSON) for number in EXTENSIONS)
