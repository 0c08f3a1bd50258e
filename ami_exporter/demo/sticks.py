"""GSM sticks: DongleShowDevices as chan_dongle writes it (manager.c), text messages, cards that lose their network."""

from __future__ import annotations

from .dice import Dice
from .engine import Process
from .listing import Listing
from .scene import Scene
from .switch import Switch
from .wire import AmiRequest, headers, item
from .world import Stick, World

HOME, SEARCHING, UNKNOWN = "Registered, home network", "Not registered, but searching", "Unknown"
MESSAGE_GAP, OUTAGE_GAP, OUTAGE, SIGNAL_GAP = 90.0, 900.0, 120.0, 20.0
FAILURE_SHARE = 0.03
WEAKEST, STRONGEST = 4, 27
_SETTINGS = {
    "AudioSetting": "",
    "DataSetting": "",
    "IMEISetting": "000000000000000",
    "IMSISetting": "",
    "ChannelLanguage": "en",
    "Context": "from-trunk",
    "Exten": "+12025550142",
    "Group": "0",
}
_PLUGGED_IN = {
    "AudioState": "/dev/ttyUSB1",
    "DataState": "/dev/ttyUSB2",
    "Voice": "Yes",
    "SMS": "Yes",
    "Manufacturer": "huawei",
    "Model": "E1731",
    "Firmware": "11.126.16.04.284",
    "IMEIState": "000000000000000",
    "IMSIState": "001010000000000",
    "Mode": "WCDMA",
    "Submode": "HSDPA",
    "ProviderName": "Demo Mobile",
    "LocationAreaCode": "50",
    "CellID": "BBE887E",
    "SubscriberNumber": "+12025550142",
    "SMSServiceCenter": "+12025550100",
}
_CALLS = "CallsChannels Active Held Dialing Alerting Incoming Waiting Releasing Initializing"


def furnish(world: World) -> None:
    """Give the company three sticks: two in use, and one that is not plugged in."""
    world.sticks = [Stick("gsm-1", 17), Stick("gsm-2", 8), Stick("spare", 0, UNKNOWN, connected=False)]


def dongle_devices(scene: Scene, _request: AmiRequest) -> Listing:
    """DongleShowDevices. Card and numbers are made up; readers must not show them."""
    items = [item("DongleDeviceEntry", _entry(stick)) for stick in scene.world.sticks]
    return Listing("Device status list will follow", "DongleShowDevicesComplete", items)


def _entry(stick: Stick) -> str:
    card = _PLUGGED_IN if stick.connected else dict.fromkeys(_PLUGGED_IN, "") | {"SubscriberNumber": "Unknown"}
    return headers(
        ("Device", stick.name),
        *_SETTINGS.items(),
        ("State", stick.state),
        *card.items(),
        ("GSMRegistrationStatus", stick.registration),
        ("RSSI", f"{stick.rssi}, {_dbm(stick.rssi)}"),
        ("CurrentDeviceState", "start"),
        ("DesiredDeviceState", "start"),
        *((name, 0) for name in _CALLS.split()),
    )


def _dbm(rssi: int) -> str:
    return "<= -113 dBm" if rssi <= 0 else f"{2 * rssi - 113} dBm"


class Radio:
    """Text messages, changes of the signal, and cards that sometimes lose their network."""

    def __init__(self, switch: Switch, dice: Dice) -> None:
        self.switch, self.dice = switch, dice
        self.sticks = [stick for stick in switch.world.sticks if stick.connected]

    def begin(self) -> None:
        """Spawn everything."""
        for stick in self.sticks:
            self.switch.time.spawn(self._messages(stick))
            self.switch.time.spawn(self._signal(stick))
        self.switch.time.spawn(self._outages(self.sticks[-1]))

    def _messages(self, stick: Stick) -> Process:
        while True:
            yield self.dice.expo(MESSAGE_GAP)
            if stick.registration != HOME:
                continue
            if self.dice.chance(0.5):
                lines = ("From", "+12025550177"), ("LineCount", 1), ("MessageLine0", "See you tomorrow")
                self._tell("DongleNewSMS", stick, *lines)
                self._tell("DongleNewSMSBase64", stick, lines[0], ("Message", "U2VlIHlvdSB0b21vcnJvdw=="))
            else:
                self._report(stick, 0, success=not self.dice.chance(FAILURE_SHARE))
                yield 3.0
                self._report(stick, 1, success=True)

    def _report(self, stick: Stick, kind: int, *, success: bool) -> None:
        fields = ("Payload", "appointment"), ("SCTS", ""), ("DT", ""), ("Success", int(success))
        self._tell("DongleReport", stick, *fields, ("Type", kind), ("Report", ""))

    def _signal(self, stick: Stick) -> Process:
        while True:
            yield self.dice.expo(SIGNAL_GAP)
            stick.rssi = min(STRONGEST, max(WEAKEST, stick.rssi + self.dice.pick((-1, 0, 1))))

    def _outages(self, stick: Stick) -> Process:
        while True:
            yield self.dice.expo(OUTAGE_GAP)
            stick.registration = SEARCHING
            self._tell("DongleStatus", stick, ("Status", "Unregister"))
            yield self.dice.around(OUTAGE, at_least=20.0)
            stick.registration = HOME
            self._tell("DongleStatus", stick, ("Status", "Register"))

    def _tell(self, name: str, stick: Stick, *pairs: tuple[str, object]) -> None:
        self.switch.tell(name, "call", headers(("Device", stick.name), *pairs))
