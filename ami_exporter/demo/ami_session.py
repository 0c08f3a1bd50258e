"""One AMI session: login, rights, event mask, and the dispatch of its actions. Without sockets.

Source: Asterisk 22 ``main/manager.c`` (authenticate, action_login, action_events, process_message).
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .action_table import ACTIONS, ActionRow
from .listing import Dialect, Listing
from .old_listings import ANSWERS as OLD_ANSWERS
from .rights import NONE, User, event_mask
from .scene import Scene
from .wire import ID_MARK, AmiRequest, headers, response, with_action_id

REJECT_DELAY = 1.0  # action_login sleeps this long before it refuses


@dataclass(slots=True)
class House:
    """The state that all sessions of one PBX share."""

    scene: Scene
    users: Mapping[str, User]  # by lower-case name
    challenge: Callable[[], str]
    security: Callable[[str, str, dict[str, str]], None]  # event name, account, further headers
    originate: Callable[[AmiRequest], bytes]
    reject_delay: float = REJECT_DELAY
    missing: frozenset[str] = NONE  # lower-case names of actions whose module is not loaded
    actions: Counter[str] = field(default_factory=Counter)  # actions received, by name; unknown ones as "?"


class ClientSession:
    """The state of one connection. ``take`` answers requests into ``outbox``; ``closing`` says when to hang up."""

    def __init__(self, house: House, local: tuple[str, int], remote: tuple[str, int]) -> None:
        self.house = house
        self._addresses = {
            "LocalAddress": f"IPV4/TCP/{local[0]}/{local[1]}",
            "RemoteAddress": f"IPV4/TCP/{remote[0]}/{remote[1]}",
        }
        self.user: User | None = None
        self.mask = NONE
        self.challenge = ""
        self.closing = False
        self.reject = b""  # a refusal to send after the reject delay, before the session ends
        self.outbox: deque[bytes] = deque()
        self._own: Mapping[str, Callable[[AmiRequest], bytes]] = {
            "login": self._login,
            "challenge": self._challenge,
            "logoff": self._logoff,
            "events": self._events,
            "listcommands": self._list_commands,
            "originate": house.originate,
        }

    def banner(self) -> bytes:
        """The first line the server sends."""
        return f"Asterisk Call Manager/{self.house.scene.ami_version}\r\n".encode()

    def take(self, request: AmiRequest) -> None:
        """Answer one request into the outbox."""
        answer = self._answer(request)
        if answer:
            self.outbox.append(with_action_id(answer, request.get("ActionID")))

    def _answer(self, request: AmiRequest) -> bytes:
        name = request.get("Action")
        row = None if name.lower() in self.house.missing else ACTIONS.get(name.lower())
        self.house.actions[row.name if row else "?"] += 1
        refusal = self._refusal(request, name, row)
        if refusal or row is None:
            return response("Error", refusal).encode()
        if own := self._own.get(name.lower()):
            return own(request)
        scene = self.house.scene
        answers = OLD_ANSWERS if scene.dialect is Dialect.OLD else {}
        answer = answers.get(name.lower(), row.answer)(scene, request)
        return answer.render() if isinstance(answer, Listing) else answer

    def _refusal(self, request: AmiRequest, name: str, row: ActionRow | None) -> str:
        """Why this request is refused, "" if it is not. A refusal also sends a security event."""
        if request.fault:
            return request.fault
        if not name:
            return self._refuse("RequestBadFormat", name, "Missing action in request")
        if self.user is None:
            open_to_all = name.lower() in {"login", "challenge", "logoff"}
            return "" if open_to_all else self._refuse("RequestNotAllowed", name, "Permission denied")
        if row is None:
            hint = f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
            return self._refuse("RequestBadFormat", name, hint)
        if not self.user.may(row.rights):
            return self._refuse("RequestNotAllowed", name, "Permission denied")
        return ""

    def _refuse(self, event: str, name: str, message: str) -> str:
        account = self.user.name if self.user else ""
        self._security(event, account, {"RequestType": name})
        return message

    def _security(self, event: str, account: str, extra: dict[str, str]) -> None:
        self.house.security(event, account, self._addresses | extra)

    def _login(self, request: AmiRequest) -> bytes:
        if self.user is not None:
            return response("Success", "Already authenticated").encode()
        account = request.get("Username")
        user = self.house.users.get(account.lower())
        if user is None or not self._proven(user, request):
            md5 = request.get("AuthType").lower() == "md5"
            wrong = "ChallengeResponseFailed" if md5 else "InvalidPassword"
            self._security(wrong if user else "InvalidAccountID", account, {})
            self.reject = with_action_id(response("Error", "Authentication failed").encode(), request.get("ActionID"))
            return b""
        self.user = user
        self._security("SuccessfulAuth", user.name, {})
        # An empty mask at login means no mask: the session gets every event that the user may read.
        asked = event_mask(request.get("Events") or "on")
        self.mask = user.read & (asked or NONE)
        return response("Success", "Authentication accepted").encode() + self._fully_booted()

    def _proven(self, user: User, request: AmiRequest) -> bool:
        if request.get("AuthType").lower() != "md5":
            return request.get("Secret") == user.secret
        digest = hashlib.md5((self.challenge + user.secret).encode(), usedforsecurity=False).hexdigest()
        return bool(self.challenge) and request.get("Key") == digest

    def _fully_booted(self) -> bytes:
        """FullyBooted as sent after a login, without ActionID; only with read=system and system in the mask."""
        if "system" not in self.mask:
            return b""
        scene, uptime = self.house.scene, ""
        if scene.dialect is Dialect.MODERN:
            now = scene.clock()
            uptime = headers(("Uptime", int(now - scene.booted)), ("LastReload", int(now - scene.reloaded)))
        body = f"{uptime}Status: Fully Booted\r\n"
        return f"Event: FullyBooted\r\nPrivilege: system,all\r\n{body}\r\n".encode()

    def _challenge(self, request: AmiRequest) -> bytes:
        if request.get("AuthType").lower() != "md5":
            return response("Error", "Must specify AuthType").encode()
        self.challenge = self.challenge or self.house.challenge()
        return response("Success", body=headers(("Challenge", self.challenge))).encode()

    def _logoff(self, _request: AmiRequest) -> bytes:
        self.closing = True
        return response("Goodbye", "Thanks for all the fish.").encode()

    def _events(self, request: AmiRequest) -> bytes:
        asked = event_mask(request.get("EventMask"))
        if asked is None or self.user is None:
            return response("Error", "Invalid event mask").encode()
        self.mask = self.user.read & asked
        return response("Success", body=headers(("Events", "On" if asked else "Off"))).encode()

    def _list_commands(self, _request: AmiRequest) -> bytes:
        lines = [
            f"{row.name}: {row.listed}\r\n"
            for key, row in sorted(ACTIONS.items())
            if key not in self.house.missing and self.user is not None and self.user.may(row.rights)
        ]
        return f"Response: Success\r\n{ID_MARK}{''.join(lines)}\r\n".encode()
