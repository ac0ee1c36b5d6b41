"""What recording costs a robot's control loop: `python -m benchmarks control_tick [--turns N] [--seconds S]`.

A robot in real time with four cameras of 128x128 at 50 Hz and episodes of one second, so that one tick in fifty ends
an episode and one begins it. Control loop, scheduler, inference thread, recorder, spool, signatures and Kafka are the
product's; the policy costs nothing, because it costs the same either way. Recording on and off take turns in one
process; off throws every record away. What counts is when the robot has its action: from the time at which
the tick was due to its end, so waking up late counts too. A third way records while threads hand on the interpreter's
lock sooner, which tells waiting for that lock from waiting for a core.
"""

import argparse
import contextlib
import dataclasses
import functools
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actor.asking import HelpConfig
from actor.chunks import ChunkConfig
from actor.control_loop import ControlLoop, Progress
from actor.inference import Inference, Seed
from actor.link import NoLink
from actor.logbook import Logbook, Sink
from actor.proposer import PolicyProposer
from actor.recorder import Recorder, RecorderConfig
from actor.safety import Limits, LimitsConfig
from actor.scheduler import Scheduler
from actor.self_check import SelfCheck, calibration_of
from actor.stuck import StuckConfig, StuckDetector
from actor.work import Assignment
from benchmarks.figures import Figure, differences, publish
from benchmarks.kafka_alone import kafka_alone
from benchmarks.replay_robots import FourCameraRobot
from corrections.intervention import SafetyConfig
from infra import connect, identity
from infra.home import Home
from infra.metrics import Metrics
from infra.signing import MessageSigner
from infra.topics import Topic
from policy.schema import Episode, Float32, Observation, Source, UInt8
from robots.robot import Robot

_ROBOT = "bench-0"
_DRAIN_S = 60.0
ON, OFF, SOONER = WAYS = ("recording", "not recording", "recording, lock sooner")
_SOONER_S = 0.0005


class Still:
    """Chunks of a policy that wants nothing and costs nothing."""

    horizon = 8

    def sample(self, observations: Sequence[Observation], seeds: Sequence[Seed]) -> Float32:
        """Zeros, float32[B, H, A]."""
        return np.zeros((len(observations), self.horizon, 3), np.float32)


class Endless:
    """One episode after the other."""

    is_done = False

    def __init__(self, inference: Inference) -> None:
        self._inference, self._policy, self._num_begun = inference, Still(), 0

    def next_episode(self, robot_id: str, robot: Robot) -> Assignment:
        """Always there."""
        self._num_begun += 1
        proposer = PolicyProposer(self._policy, self._inference, self._num_begun, ChunkConfig())
        return Assignment(
            scene_seed=self._num_begun,
            source=Source.ROLLOUT,
            proposer=proposer,
            policy_version="1",
            release_role="champion",
        )

    def refusal(self, robot_id: str) -> str:
        """None."""
        return ""

    def ended(self, episode: Episode) -> None:
        """Nothing to keep."""


class TimedLoop(ControlLoop):
    """Notes when each tick began and ended, in seconds."""

    def __init__(self, robot: Robot, inference: Inference, sink: Sink, metrics: Metrics) -> None:
        asking = HelpConfig()
        stuck = StuckDetector(robot.spec, StuckConfig())
        super().__init__(
            robot,
            Endless(inference),
            Logbook(_ROBOT, f"{_ROBOT}-{time.time_ns()}", robot, sink, metrics),
            link=NoLink(),
            limits=Limits.of(robot.spec, LimitsConfig()),
            safety=SafetyConfig(),
            check=SelfCheck(robot.spec, stuck, asking, calibration_of(asking)),
            asking=asking,
            metrics=metrics,
        )
        self.times_s: list[tuple[float, float]] = []

    def tick(self) -> Progress:
        """As ever."""
        began_s = time.monotonic()
        progress = super().tick()
        self.times_s.append((began_s, time.monotonic()))
        return progress


@dataclasses.dataclass(frozen=True, kw_only=True)
class Turn:
    """One stretch of ticks."""

    tick_ms: NDArray[np.float64]
    """How long each took."""
    due_ms: NDArray[np.float64]
    """From when each was due to its end."""
    num_missed: float
    """Ticks that began a whole period late, by the robot's own count."""


def dues_s(began_s: Sequence[float], period_s: float) -> list[float]:
    """When each tick was due, by the scheduler's rule: who is late by more than a tick does not catch up."""
    dues: list[float] = []
    for now_s in began_s:
        due_s = dues[-1] + period_s if dues else now_s
        dues.append(now_s if now_s - due_s > period_s else due_s)
    return dues


def run_turn(inference: Inference, sink: Sink, duration_s: float) -> Turn:
    """Let the robot work for a while; the first episode is not counted."""
    robot, metrics, stopping = FourCameraRobot(), Metrics(), threading.Event()
    loop = TimedLoop(robot, inference, sink, metrics)
    timer = threading.Timer(duration_s, stopping.set)
    timer.start()
    Scheduler([loop], inference, rate=1.0, metrics=metrics).run(stopping)
    timer.join()
    began_s, ended_s = (np.array(column) for column in zip(*loop.times_s, strict=True))
    rate_hz = robot.spec.control_rate_hz
    due_s, first = np.array(dues_s(began_s.tolist(), 1 / rate_hz)), round(rate_hz)
    return Turn(
        tick_ms=1e3 * (ended_s - began_s)[first:],
        due_ms=1e3 * (ended_s - due_s)[first:],
        num_missed=metrics.value("touchline_tick_overruns_total", robot=_ROBOT),
    )


@contextlib.contextmanager
def recording(folder: Path) -> Iterator[Recorder]:
    """A recorder whose records go to a broker, as in an actor process."""
    home = Home(folder)
    with kafka_alone(home) as kafka, contextlib.closing(connect.bus(kafka.config)) as bus:
        signer = MessageSigner(functools.cache(functools.partial(identity.robot, home.path, is_simulated=True)))
        recorder = Recorder(
            home.spool / "bench", lambda: bus.producer("bench", wait_s=0, signer=signer), RecorderConfig(), Metrics()
        )
        try:
            yield recorder
        finally:
            recorder.close(_DRAIN_S)


def measure(num_turns: int, duration_s: float) -> dict[str, list[Turn]]:
    """Turns of each way."""
    turns: dict[str, list[Turn]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder, recording(Path(folder)) as recorder:
        inference, switch_s = Inference(Metrics()), sys.getswitchinterval()
        for number in range(num_turns):
            for name in WAYS[:: 1 if number % 2 == 0 else -1]:
                sys.setswitchinterval(_SOONER_S if name == SOONER else switch_s)
                turns[name].append(run_turn(inference, _nowhere if name == OFF else recorder.put, duration_s))
                recorder.drain(_DRAIN_S)
        sys.setswitchinterval(switch_s)
        inference.close()
    return turns


def _nowhere(topic: Topic, record: object, frames: Sequence[UInt8]) -> None:
    """Not recorded."""


def figures_of(turns: Mapping[str, Sequence[Turn]]) -> list[Figure]:
    """What recording adds."""
    found = []
    for what, column in (("tick", "tick_ms"), ("due to done", "due_ms")):
        p99 = {
            name: [float(np.quantile(getattr(turn, column), 0.99)) for turn in of_way] for name, of_way in turns.items()
        }
        sooner = Figure.of(
            f"{what}, p99, added when threads hand on the interpreter's lock after {1e3 * _SOONER_S:g} ms, not 5",
            differences(p99[SOONER], p99[OFF]),
            unit="ms",
        )
        found += [
            Figure.of(f"{what}, p99, recording", p99[ON], unit="ms"),
            Figure.of(f"{what}, p99, not recording", p99[OFF], unit="ms"),
            Figure.of(
                f"{what}, p99, added",
                differences(p99[ON], p99[OFF]),
                unit="ms",
                against="the same without recording",
                at_most=1.0,
                bounded_by=f"other threads of the process; {sooner.measured} where they hand on the lock sooner",
            ),
            sooner,
        ]
    missed = {name: sum(turn.num_missed for turn in of_way) for name, of_way in turns.items()}
    num_ticks = sum(len(turn.tick_ms) for turn in turns[ON])
    return [
        *found,
        Figure(what="ticks missed, not recording", value=missed[OFF]),
        Figure(
            what=f"ticks missed, recording, of {num_ticks}",
            value=missed[ON],
            at_most=missed[OFF],
            bounded_by="other threads of the process",
        ),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=6, help="of each way")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each turn")
    parser.add_argument("--quick", action="store_true", help="one turn of three seconds: to see that it works")
    args = parser.parse_args(argv)
    publish(figures_of(measure(*((1, 3.0) if args.quick else (args.turns, args.seconds)))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
