"""Rarer kinds of calls: conferences, faxes, agents who log in and take calls on an open line."""

from __future__ import annotations

from . import blocks
from .dice import Dice
from .engine import Process
from .switch import Switch
from .traffic import Traffic
from .wire import headers
from .world import UP, Agent, Channel, Conference

ROOMS = ("standup", "board", "training", "customers")
CONFERENCE_GAP, FAX_GAP, AGENT_CALL_GAP, AGENT_SHIFT = 200.0, 140.0, 45.0, 1500.0
FAX_FAILURE_SHARE = 0.15


class Occasions:
    """Starts the processes of the rarer calls."""

    def __init__(self, switch: Switch, dice: Dice, traffic: Traffic) -> None:
        self.switch, self.dice, self.traffic = switch, dice, traffic
        self.world = switch.world

    def begin(self) -> None:
        """Spawn everything."""
        self.switch.time.spawn(self._conferences())
        self.switch.time.spawn(self._faxes())
        for agent in self.world.agents:
            self.switch.time.spawn(self._agent(agent))

    def _conferences(self) -> Process:
        while True:
            room = self.dice.pick(ROOMS)
            if room not in self.world.conferences:
                for _person in range(self.dice.pick((3, 4, 5, 6))):
                    self.switch.time.spawn(self._participant(room), self.dice.around(25.0))
            yield self.dice.expo(CONFERENCE_GAP)

    def _participant(self, name: str) -> Process:
        """Somebody joins the room, stays and leaves; the first participant opens it, the last closes it."""
        phone = self.traffic.free_phone()
        if phone is None or self.dice.chance(0.25):
            caller = self.traffic.arrive(name)
        else:
            caller = self.switch.originate(phone, name, phone.party)
        yield 0.3
        self.switch.state(caller, UP)
        self.switch.run(caller, "ConfBridge", name)
        room = self.world.conferences.get(name) or self._open(name)
        self.switch.enter(room.bridge, caller)
        self._tell(room, "ConfbridgeJoin", blocks.channel(caller), "Admin: No\r\nMuted: No\r\n")
        room.locked = len(room.bridge.channels) > 4 and self.dice.chance(0.3)  # noqa: PLR2004 - a full room
        yield self.dice.around(210.0, at_least=20.0)
        self.switch.request_hangup(caller)
        self.switch.leave(caller)
        self._tell(room, "ConfbridgeLeave", blocks.channel(caller), "Admin: No\r\n")
        if not room.bridge.channels:
            del self.world.conferences[name]
            self._tell(room, "ConfbridgeEnd")
        self.switch.hangup(caller)

    def _open(self, name: str) -> Conference:
        bridge = self.switch.bridge(technology="softmix", kind="base")
        bridge.creator, bridge.name = "ConfBridge", name
        room = self.world.conferences[name] = Conference(name, bridge)
        self._tell(room, "ConfbridgeStart")
        return room

    def _tell(self, room: Conference, name: str, chan: str = "", extra: str = "") -> None:
        self.switch.call(name, headers(("Conference", room.name)), blocks.bridge(room.bridge), chan, extra)

    def _faxes(self) -> Process:
        while True:
            yield self.dice.expo(FAX_GAP)
            self.switch.time.spawn(self._fax())

    def _fax(self) -> Process:
        """A fax comes in."""
        fax = self.world.fax
        caller = self.traffic.arrive("fax")
        yield 0.3
        self.switch.state(caller, UP)
        self.switch.run(caller, "ReceiveFAX", "/var/spool/asterisk/fax/incoming.tif")
        fax.current += 1
        fax.received += 1
        yield self.dice.around(45.0, at_least=15.0)
        failed = self.dice.chance(FAX_FAILURE_SHARE)
        fax.current -= 1
        fax.failed += failed
        fax.completed += not failed
        if not failed:
            self.switch.call("ReceiveFAX", blocks.channel(caller), self._fax_result())
        self.switch.request_hangup(caller)
        self.switch.hangup(caller)

    def _fax_result(self) -> str:
        return headers(
            ("LocalStationID", "demo"),
            ("RemoteStationID", "remote"),
            ("PagesTransferred", self.dice.pick((1, 1, 2, 3, 7))),
            ("Resolution", "204x196"),
            ("TransferRate", 14400),
            ("FileName", "/var/spool/asterisk/fax/incoming.tif"),
        )

    def _agent(self, agent: Agent) -> Process:
        """An agent of app_agent_pool logs in, takes calls on the open line, logs off and comes back later."""
        yield self.dice.expo(AGENT_SHIFT / 3)
        while True:
            phone = self.traffic.free_phone()
            if phone is not None:
                chan = self.switch.originate(phone, "agents", phone.party)
                yield 0.3
                self.switch.state(chan, UP)
                self.switch.run(chan, "AgentLogin", agent.number)
                agent.channel, agent.login = chan, self.switch.time.now
                self.switch.tell("AgentLogin", "agent", blocks.channel(chan) + headers(("Agent", agent.number)))
                yield from self._shift(agent, chan)
            yield self.dice.expo(AGENT_SHIFT / 2)

    def _shift(self, agent: Agent, chan: Channel) -> Process:
        until = self.switch.time.now + self.dice.around(AGENT_SHIFT)
        while self.switch.time.now < until:
            yield self.dice.expo(AGENT_CALL_GAP)
            caller = self.traffic.arrive("agents")
            self.switch.state(caller, UP)
            self.switch.run(caller, "AgentRequest", agent.number)
            agent.talking_to, agent.call_started = caller.name, self.switch.time.now
            self.switch.bridge(caller, chan)
            yield self.dice.around(80.0, at_least=5.0)
            agent.talking_to = ""
            self.switch.request_hangup(caller)
            self.switch.hangup(caller)
            self.switch.leave(chan)
        worked = int(self.switch.time.now - agent.login)
        agent.channel = None
        body = headers(("Agent", agent.number), ("Logintime", worked))
        self.switch.tell("AgentLogoff", "agent", blocks.channel(chan) + body)
        self.switch.request_hangup(chan)
        self.switch.hangup(chan)
