"""Whatever people, links and clocks do: a legal mode, never a human action unmarked, never a resume by itself."""

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

    @initialize()
    def start(self):
        self.now_ns = 1_000_000 * MS
        info = RobotInfo(robot_id="r", spec=SPEC.to_json(), is_simulated=True)
        self.link = RobotLink([info], LinkConfig(), SAFETY, token="", clock_ns=lambda: self.now_ns)
        self.link._update("r", is_link_up=True)
        self.state = InterventionState()
        self.epoch = 0
        self.seq = 0
        self.handed_back = {0}
        self.last_accepted_ns = None
        self.last_heard_ns = None

    def teardown(self):
        if hasattr(self, "link"):
            self.link._loop.close()

    def deliver(self, message):
        self.link._take(message)

    @rule(name=st.sampled_from(["ann", "bob"]))
    def grant(self, name):
        self.epoch += 1
        self.seq = 0
        self.last_heard_ns = self.now_ns
        self.deliver(LeaseState(robot_id="r", epoch=self.epoch, is_held=True, operator_id=name))
        self.tick()

    @rule(
        reason=st.sampled_from([HANDED_BACK, HANDED_BACK, SILENT, IDLE, GATEWAY_RESTARTED]),
        lag=st.sampled_from([0, 0, 0, 1]),
    )
    def end(self, reason, lag):
        epoch = max(0, self.epoch - lag)
        people = self.link.people("r")
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
    def command(self, delay_ms, deadman, lag, step, axis):
        self.seq = max(0, self.seq + step)
        self.command_now(delay_ms, deadman, axis, lag)

    def command_now(self, delay_ms, deadman, axis, lag=0):
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
    @rule(deadman=st.booleans())
    def drive(self, deadman):
        """What an honest client does, so that the machine reaches every mode."""
        self.now_ns += 20 * MS
        self.seq += 1
        self.command_now(20, deadman, 0.7)
        self.tick()

    @precondition(lambda self: self.link.people("r").is_held)
    @rule()
    def renew(self):
        self.last_heard_ns = self.now_ns
        self.deliver(self.link.people("r").lease)

    @rule()
    def stop(self):
        self.deliver(Stop(robot_id="r"))

    @precondition(lambda self: self.link.people("r").stop is not None)
    @rule()
    def clear(self):
        self.deliver(ClearStop(robot_id="r", confirm="r", reason="looked"))

    @precondition(lambda self: self.link.people("r").is_link_up)
    @rule()
    def link_breaks(self):
        self.link._update("r", is_link_up=False)

    @precondition(lambda self: not self.link.people("r").is_link_up)
    @rule()
    def link_returns(self):
        self.link._update("r", is_link_up=True)

    @rule(ms=st.sampled_from([100, 251, 3_001]))
    def time_passes(self, ms):
        self.now_ns += ms * MS
        self.tick()

    @rule()
    def tick(self):
        people = self.link.people("r")
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
    def epochs_only_grow(self):
        if hasattr(self, "link") and self.link.people("r").lease is not None:
            assert self.link.people("r").lease.epoch <= max(self.epoch, 0)


TestInterventions = Interventions.TestCase
TestInterventions.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)
