"""A body, a policy and people small enough to reason about, for the actor's tests."""

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actor.asking import HelpConfig
from actor.chunks import ONCE, ChunkConfig, Sampling
from actor.control_loop import ControlLoop
from actor.inference import Inference, Seed
from actor.logbook import Logbook
from actor.proposer import PolicyProposer
from actor.safety import Limits, LimitsConfig
from actor.self_check import SelfCheck, calibration_of
from actor.stuck import StuckConfig, StuckDetector
from actor.work import Assignment
from corrections.intervention import NOBODY, People, SafetyConfig
from corrections.protocol import HANDED_BACK, HelpAnswered, HumanCommand, LeaseState, RobotState
from infra.metrics import Metrics
from infra.topics import Topic
from policy import checkpoint
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.schema import Episode, Float32, HelpResult, Observation, Outcome, Source, Step, UInt8
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from robots.robot import TaskStatus

DEADLINE_S = 20.0
NUM_STEPS = 12
"""Ticks until an episode of `TinyRobot` is cut."""


def channels(name: str, count: int) -> tuple[ChannelSpec, ...]:
    return tuple(ChannelSpec(name=f"{name}{i}", unit="1", low=-1.0, high=1.0) for i in range(count))


SPEC = EmbodimentSpec(
    name="tiny",
    control_rate_hz=20.0,
    state=channels("position", 2),
    tactile=channels("force", 1),
    action=channels("move", 2),
    cameras=(CameraSpec(name="scene", height=32, width=32),),
)


class TinyRobot:
    """A point that moves by a tenth of its action, and succeeds at x >= 0.5."""

    task_id = "tiny"

    def __init__(self, *, is_simulated: bool = True, spec: EmbodimentSpec = SPEC) -> None:
        self.is_simulated = is_simulated
        self.spec = spec
        self.applied: list[Float32 | None] = []
        """Every action since the start; None for a hold."""
        self.scenes: list[int] = []
        self.position = np.zeros(2, np.float32)
        self._num_steps = 0

    def reset(self, scene_seed: int) -> Observation:
        self.scenes.append(scene_seed)
        self.position = np.zeros(2, np.float32)
        self._num_steps = 0
        return self.observe()

    def observe(self) -> Observation:
        return Observation(
            frames=(np.full((32, 32, 3), self._num_steps, np.uint8),),
            state=self.position.copy(),
            tactile=np.zeros(1, np.float32),
            instruction="go right",
            time_ns=time.time_ns(),
        )

    def apply(self, action: Float32) -> TaskStatus:
        self.applied.append(action.copy())
        return self._move(action)

    def hold(self) -> TaskStatus:
        self.applied.append(None)
        return self._move(np.zeros(2, np.float32))

    def _move(self, action: Float32) -> TaskStatus:
        self.position = self.position + np.float32(0.1) * action
        self._num_steps += 1
        if self.position[0] >= 0.5:
            return TaskStatus(is_terminal=True, outcome=Outcome.SUCCESS)
        if self._num_steps >= NUM_STEPS:
            return TaskStatus(is_truncated=True, outcome=Outcome.TIMED_OUT, reason="out of time")
        return TaskStatus()

    def privileged(self) -> Mapping[str, float]:
        return {"x": float(self.position[0])}

    def close(self) -> None:
        pass


class FakeSampler:
    """Chunks whose every action says which tick it was computed at and its row: (tick, row) / 100."""

    def __init__(self, horizon: int = 8) -> None:
        self.horizon = horizon
        self.batches: list[list[Seed]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: Exception | None = None
        self.doubt = 0.0
        """How far the further samples of one request lie from the first, per sample."""

    def sample(self, observations: Sequence[Observation], seeds: Sequence[Seed]) -> Float32:
        assert self.may_answer.wait(DEADLINE_S)
        if self.error is not None:
            raise self.error
        self.batches.append(list(seeds))
        return np.stack([self._chunk(*seed) for seed in seeds]).astype(np.float32)

    def _chunk(self, scene: int, tick: int, number: int = 0) -> Any:
        chunk = np.stack([np.full(self.horizon, tick), np.arange(self.horizon)], axis=1) / 100
        return chunk + number * self.doubt


class FakeWork:
    """The same sampler on one scene after the other, at most `num_episodes`."""

    def __init__(
        self,
        sampler: FakeSampler,
        inference: Inference,
        *,
        num_episodes: int = 1_000,
        chunks: ChunkConfig | None = None,
        source: Source = Source.ROLLOUT,
        sampling: Sampling = ONCE,
    ) -> None:
        self._sampler, self._inference, self._source, self._sampling = sampler, inference, source, sampling
        self._chunks = chunks or ChunkConfig()
        self.num_left = num_episodes
        self.episodes: list[Episode] = []
        self.version = "1"
        self.refused = ""

    @property
    def is_done(self) -> bool:
        return self.num_left == 0

    def next_episode(self, robot_id: str, robot: Any) -> Assignment | None:
        if not self.num_left:
            return None
        self.num_left -= 1
        return Assignment(
            scene_seed=self.num_left,
            source=self._source,
            proposer=PolicyProposer(self._sampler, self._inference, self.num_left, self._chunks, self._sampling),
            policy_version=self.version,
            release_role="champion",
        )

    def refusal(self, robot_id: str) -> str:
        return self.refused

    def ended(self, episode: Episode) -> None:
        self.episodes.append(episode)


class FakeLink:
    """People who do what the test says."""

    def __init__(self) -> None:
        self.now: People = NOBODY
        self.reports: list[RobotState] = []
        self.pictures: list[tuple[UInt8, ...]] = []

    def people(self, robot_id: str) -> People:
        return self.now

    def report(self, robot_id: str, state: RobotState) -> None:
        self.reports.append(state)

    def show(self, robot_id: str, pictures: tuple[UInt8, ...]) -> None:
        self.pictures.append(pictures)


class Shelf:
    """A sink that keeps records in order."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def put(self, topic: Topic, record: Any, frames: Sequence[UInt8] = ()) -> None:
        assert isinstance(record, topic.record)
        self.records.append(record)

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.records if isinstance(record, kind)]


@dataclasses.dataclass(kw_only=True)
class Rig:
    """One robot with everything around it; time stands still until the test moves it."""

    robot: TinyRobot = dataclasses.field(default_factory=TinyRobot)
    sampler: FakeSampler = dataclasses.field(default_factory=FakeSampler)
    link: FakeLink = dataclasses.field(default_factory=FakeLink)
    shelf: Shelf = dataclasses.field(default_factory=Shelf)
    metrics: Metrics = dataclasses.field(default_factory=Metrics)
    limits: LimitsConfig = dataclasses.field(default_factory=lambda: LimitsConfig(max_change=1.0))
    stuck: StuckConfig = dataclasses.field(default_factory=lambda: StuckConfig(after_s=0.0))
    asking: HelpConfig = dataclasses.field(default_factory=lambda: HelpConfig(spread_samples=0))
    chunks: ChunkConfig = dataclasses.field(default_factory=ChunkConfig)
    num_episodes: int = 1_000
    source: Source = Source.ROLLOUT
    now_ns: int = 1_000_000_000

    def __post_init__(self) -> None:
        self.inference = Inference(self.metrics)
        self.work = FakeWork(
            self.sampler,
            self.inference,
            num_episodes=self.num_episodes,
            chunks=self.chunks,
            source=self.source,
            sampling=Sampling(num_samples=max(1, self.asking.spread_samples), every=self.asking.spread_every),
        )
        stuck = StuckDetector(self.robot.spec, self.stuck)
        self.loop = ControlLoop(
            self.robot,
            self.work,
            Logbook("r-0", "boot", self.robot, self.shelf.put, self.metrics),
            link=self.link,
            limits=Limits.of(self.robot.spec, self.limits),
            safety=SafetyConfig(takeover_ramp_ms=0.0),
            check=SelfCheck(self.robot.spec, stuck, self.asking, calibration_of(self.asking)),
            asking=self.asking,
            metrics=self.metrics,
            clock_ns=lambda: self.now_ns,
        )

    def tick(self, count: int = 1) -> None:
        """Finish so many ticks of 50 ms, waiting for chunks where the robot does."""
        for _ in range(count):
            self.loop.tick()
            if self.loop.is_waiting:
                self.inference.flush()
                wait_for(lambda: not self.loop.is_waiting)
                self.loop.tick()
            self.now_ns += 50_000_000

    @property
    def steps(self) -> list[Step]:
        return self.shelf.of(Step)

    def hold(self, epoch: int = 1, *, command: Sequence[float] | None = None, seq: int = 1) -> None:
        """A person holds the lease, and drives where there is a command."""
        human = None
        if command is not None:
            human = HumanCommand(
                robot_id="r-0",
                lease_epoch=epoch,
                seq=seq,
                sent_ns=self.now_ns,
                action=tuple(command),
                is_deadman_held=True,
            )
        self.link.now = People(
            is_link_up=True,
            lease=LeaseState(robot_id="r-0", epoch=epoch, is_held=True, operator_id="ann"),
            heard_ns=self.now_ns,
            command=human,
            command_received_ns=self.now_ns,
        )

    def answer(self, answer: str = "", **changes: Any) -> None:
        """Somebody answers what the robot asks now."""
        request = self.link.reports[-1].help
        fields: dict[str, Any] = {
            "request_id": request.request_id,
            "episode_id": self.link.reports[-1].episode_id,
            "trigger": request.trigger,
            "result": HelpResult.ANSWERED,
            "fallback": request.fallback,
        }
        answered = HelpAnswered(robot_id="r-0", answer=answer, author="ann", **{**fields, **changes})
        self.link.now = dataclasses.replace(self.link.now, answers=(*self.link.now.answers, answered))

    def hand_back(self, epoch: int = 1) -> None:
        """The person lets the policy go on."""
        lease = LeaseState(robot_id="r-0", epoch=epoch, is_held=False, end_reason=HANDED_BACK)
        self.link.now = People(is_link_up=True, lease=lease, heard_ns=self.now_ns)


def wait_for(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it did not in time.
    """
    event, deadline = threading.Event(), time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        event.wait(0.002)


def step(seq: int, *, robot: str = "r-0", boot: str = "boot", mode: str = "autonomous", **fields: Any) -> Step:
    """A step with nothing remarkable but its number."""
    values: dict[str, Any] = {
        "spec_id": "spec",
        "robot_id": robot,
        "boot_id": boot,
        "seq": seq,
        "episode_id": "e",
        "step_index": seq,
        "time_ns": 1,
        "observation_time_ns": 1,
        "source": "rollout",
        "scene_seed": 1,
        "task_id": "tiny",
        "instruction": "go right",
        "policy_version": "1",
        "control_mode": mode,
        "intervention_id": "",
        "operator_id": "",
        "proposed_action": np.zeros(2, np.float32),
        "executed_action": np.zeros(2, np.float32),
        "state": np.zeros(2, np.float32),
        "tactile": np.zeros(1, np.float32),
        "frames": (),
        "chunk_index": 0,
        "is_terminal": False,
        "is_truncated": False,
        "command_delay_ms": float("nan"),
    }
    return Step(**{**values, **fields})


def save_policy(directory: Path, spec: EmbodimentSpec = SPEC, seed: int = 0) -> Path:
    """An untrained checkpoint, small enough for a test."""
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    normaliser = Normaliser.fit(
        state=rng.normal(size=(50, len(spec.state))).astype(np.float32),
        tactile=rng.normal(size=(50, len(spec.tactile))).astype(np.float32),
        action=rng.normal(scale=0.3, size=(50, len(spec.action))).astype(np.float32),
    )
    config = PolicyConfig(horizon=8, width=16, num_heads=2, stem_channels=4, num_keypoints=2)
    checkpoint.save(directory, Policy.create(config, spec, Vocabulary.of(["go right"]), normaliser))
    return directory
