"""An old server on loopback: it answers as Asterisk 1.8, 11 or 13 did, and sends the events that a test plays."""

from __future__ import annotations

from tests.support import old_servers as old
from tests.support.ami_server import Fields, Session
from tests.support.scripted_pbx import ScriptedPbx


class OldPbx(ScriptedPbx):
    """Answers lists from the transcripts. refused: actions that this user may not run."""

    def __init__(self, version: str, folder: str = "lists", refused: tuple[str, ...] = ()) -> None:
        banner = f"{old.BEGINNING}{'.'.join(map(str, old.AMI[version]))}\r\n".encode()
        boot = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
        super().__init__({}, banner=banner, boot=boot)
        self._version, self._folder = version, folder
        self._listed = set(old.lists(version, folder)) - set(refused)
        self._listeners: list[Session] = []
        #: What answers say instead of what they said.
        self.instead: dict[bytes, bytes] = {}

    def play(self, scenario: str) -> None:
        """Send the events of a scenario to those who listen."""
        self.send_events(old.events(self._version, scenario))

    def send_events(self, data: bytes) -> None:
        """Send bytes to those who listen."""
        for session in self._listeners:
            session.send(data)

    @property
    def parked(self) -> str:
        """Uniqueid of the parked channel in its list of channels."""
        found = old.answered(self._version, "CoreShowChannels", self._folder).items
        return next(item["uniqueid"] for item in found if item["application"] == "Parked Call")

    def obey(self, session: Session, action: Fields) -> None:
        """Answer as that server did."""
        name = action["Action"]
        if name == "Login" and action.get("Events") not in (None, "off", "system"):
            self._listeners.append(session)
        if name == "ListCommands":
            session.answer(action, *((offered, " (Priv: <none>)") for offered in sorted(self._listed)))
        elif name in self._listed - {"Ping"}:
            known, data = old.answer_bytes(self._version, name, self._folder)
            for written, now in self.instead.items():
                data = data.replace(written, now)
            session.send(
                data.replace(f"ActionID: {known}\r\n".encode(), f"ActionID: {action['ActionID']}\r\n".encode())
            )
        elif name in ("Login", "Challenge", "Ping", "Events", "Logoff"):
            super().obey(session, action)
        elif name in old.lists(self._version, self._folder):
            session.answer(action, ("Message", "Permission denied"), response="Error")
        else:
            unknown = f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
            session.answer(action, ("Message", unknown), response="Error")
