"""Whatever people, links and clocks do: a legal mode, never a human action unmarked, never a resume by itself."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from corrections.intervention import InterventionState, SafetyConfig, advance, human_action, ramp
from corrections.protocol import (
    GATEWAY_RESTARTED,
    HANDED_BACK,
    IDLE,
    SILENT,
    ClearStop,
    HumanCommand,
    LeaseState,
    RobotInfo,
    Stop,
)
from corrections.robot_link import LinkConfig, RobotLink
from policy.schema import ControlMode
from tests.corrections_rig import SPEC

MS = 1_000_000
SAFETY = SafetyConfig()


class Interventions(RuleBasedStateMachine):
    """The real link's bookkeeping without its socket, and the actor's side of the tick."""

    @initialize(is_held=st.booleans())
    def start(self, is_held: Any) -> None:
        self.now_ns = 1_000_000 * MS
        info = RobotInfo(robot_id="r", spec=SPEC.to_json(), is_simulated=True)
        self.link = RobotLink([info], LinkConfig(), SAFETY, token="", clock_ns=lambda: self.now_ns)
        self.link._update("r", is_link_up=True)
        self.state = InterventionState()
        self.epoch = 0
        self.seq = 0
        self.handed_back = {0}
        self.last_accepted_ns = 0
        self.last_heard_ns = 0
        if is_held:
            self.grant("ann")

    def deliver(self, message: Any) -> None:
        self.link._take(message)

    @rule(name=st.sampled_from(["ann", "bob"]))
    def grant(self, name: Any) -> None:
        self.epoch += 1
        self.seq = 0
        self.last_heard_ns = self.now_ns
        self.deliver(LeaseState(robot_id="r", epoch=self.epoch, is_held=True, operator_id=name))
        self.tick()

    @rule(
        reason=st.sampled_from([HANDED_BACK, HANDED_BACK, SILENT, IDLE, GATEWAY_RESTARTED]),
        lag=st.sampled_from([0, 0, 0, 1]),
    )
    def end(self, reason: Any, lag: Any) -> None:
        epoch = max(0, self.epoch - lag)
        people: Any = self.link.people("r")
        is_current = people.is_held and people.lease.epoch == epoch
        if reason == HANDED_BACK and is_current and self.state.lost_epoch < epoch:
            self.handed_back.add(epoch)
        self.deliver(LeaseState(robot_id="r", epoch=epoch, is_held=False, end_reason=reason))
        self.tick()

    @rule(
        delay_ms=st.integers(-20, 400),
        deadman=st.booleans(),
        lag=st.integers(0, 2),
        step=st.integers(-2, 2),
        axis=st.floats(-1, 1),
    )
    def command(self, delay_ms: Any, deadman: Any, lag: Any, step: Any, axis: Any) -> None:
        self.seq = max(0, self.seq + step)
        self.command_now(delay_ms, deadman, axis, lag)

    def command_now(self, delay_ms: Any, deadman: Any, axis: Any, lag: Any = 0) -> None:
        before = self.link.people("r").command
        self.deliver(
            HumanCommand(
                robot_id="r",
                lease_epoch=max(0, self.epoch - lag),
                seq=self.seq,
                sent_ns=self.now_ns - delay_ms * MS,
                action=(axis,),
                is_deadman_held=deadman,
            )
        )
        if self.link.people("r").command is not before:
            assert lag == 0 or self.epoch == 0
            assert -5 <= delay_ms <= 100
            self.last_accepted_ns = self.last_heard_ns = self.now_ns

    @precondition(lambda self: self.link.people("r").is_held)
    @rule(deadman=st.sampled_from([True, True, False]))
    def drive(self, deadman: Any) -> None:
        """What an honest client does, so that the machine reaches every mode."""
        self.now_ns += 20 * MS
        self.seq += 1
        self.command_now(20, deadman, 0.7)
        self.tick()

    @precondition(lambda self: self.link.people("r").is_held)
    @rule()
    def renew(self) -> None:
        self.last_heard_ns = self.now_ns
        self.deliver(self.link.people("r").lease)

    @rule(trouble=st.sampled_from(["none", "none", "none", "link", "stop"]))
    def trouble_begins(self, trouble: Any) -> None:
        if trouble == "stop":
            self.deliver(Stop(robot_id="r"))
        elif trouble == "link":
            self.link._update("r", is_link_up=False)
        self.tick()

    @precondition(lambda self: self.link.people("r").stop is not None or not self.link.people("r").is_link_up)
    @rule()
    def trouble_ends(self) -> None:
        self.deliver(ClearStop(robot_id="r", confirm="r", reason="looked"))
        self.link._update("r", is_link_up=True)
        self.tick()

    @rule(ms=st.sampled_from([100, 251, 3_001]))
    def time_passes(self, ms: Any) -> None:
        self.now_ns += ms * MS
        self.tick()

    def tick(self) -> None:
        """The actor's tick, and what must hold in it."""
        people: Any = self.link.people("r")
        before = self.state
        self.state = advance(before, people, self.now_ns, SAFETY)
        mode = self.state.mode
        assert mode in ControlMode
        if people.stop is not None:
            assert mode is ControlMode.STOPPED
        if mode is ControlMode.CORRECTING:
            action = human_action(people.command, SPEC, ramp(self.state, self.now_ns, SAFETY))
            assert (action >= SPEC.action_low).all()
            assert (action <= SPEC.action_high).all()
            assert people.is_held
            assert people.is_link_up
            assert people.command.is_deadman_held
            assert people.command.lease_epoch == people.lease.epoch
            assert self.now_ns - self.last_accepted_ns <= 250 * MS
            assert before.mode is not ControlMode.STOPPED
            if before.mode is not ControlMode.CORRECTING:
                assert not action.any(), "a takeover starts at rest"
        if people.is_held:
            assert mode is not ControlMode.AUTONOMOUS, "the policy never acts on a held robot"
            if people.stop is None and self.now_ns - self.last_heard_ns > 3_000 * MS:
                assert mode is ControlMode.LOST
        if mode is ControlMode.AUTONOMOUS:
            assert (0 if people.lease is None else people.lease.epoch) in self.handed_back, (
                "the policy resumes only after a hand-back"
            )

    @invariant()
    def epochs_only_grow(self) -> None:
        lease = self.link.people("r").lease if hasattr(self, "link") else None
        assert lease is None or lease.epoch <= self.epoch


TestInterventions = Interventions.TestCase
TestInterventions.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)
