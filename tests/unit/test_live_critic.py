import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest

from infra import wire
from infra.memory_bus import MemoryBus
from infra.metrics import Metrics
from infra.topics import VALUES
from learner.advantage import AdvantageConfig, advantages, returns, split
from learner.critic_help import DropConfig
from learner.data import ArrayData
from learner.live_critic import OPTIONS, LiveCritic, LiveCriticConfig
from learner.live_values import PendingSteps, read_steps, score
from learner.synthetic import toy_data
from policy.errors import ConfigError
from policy.schema import Label, Outcome, Value
from tests.critic_rig import SCALE, TASK, Listener, Scripted, ended, message, scripted, steps_of

CRITIC = scripted()
CALM = [-0.5 + 0.002 * step for step in range(40)]
FALLING = [*[-0.3] * 10, *np.linspace(-0.3, -0.9, 30)]


class Fleet:
    """A live critic, fed episode by episode; the clock moves a minute with each."""

    def __init__(self, config: LiveCriticConfig | None = None) -> None:
        self.bus = MemoryBus()
        self.bus.ensure_topics()
        self.listener, self.metrics, self.now_s = Listener(), Metrics(), 0.0
        self.live = LiveCritic(
            audience=self.listener,
            producer=self.bus.producer("critic"),
            metrics=self.metrics,
            boot_id="critic-boot",
            config=config or LiveCriticConfig(),
            drop=DropConfig(),
            clock_s=lambda: self.now_s,
        )
        self.live.cycle(CRITIC)
        self._names = (f"e{number}" for number in itertools.count())

    def run(
        self,
        values: Sequence[float],
        outcome: Outcome,
        *,
        robot_id: str = "r1",
        source: str = "rollout",
        modes: Mapping[int, str] | None = None,
        critic: Scripted = CRITIC,
    ) -> str:
        name = next(self._names)
        self.now_s += 60.0
        steps = steps_of(values, episode_id=name, robot_id=robot_id, source=source, modes=modes)
        for first in range(0, len(steps), 5):
            self.live.take_steps(message(steps[first : first + 5]))
            self.live.cycle(critic)
        self.live.take_episode(ended(name, len(values), outcome, robot_id=robot_id))
        self.live.cycle(critic)
        return name

    def calibrate(self) -> None:
        for _ in range(20):
            self.run(CALM, Outcome.SUCCESS)

    def requests(self, result: str) -> float:
        return self.metrics.value("touchline_help_requests_total", type="value_drop", result=result)

    def steps(self, result: str) -> float:
        return self.metrics.value("touchline_critic_steps_total", result=result)

    def kept(self) -> Iterator[Value]:
        for messages in self.bus.log(VALUES.name):
            for sent in messages:
                yield from wire.records(VALUES, wire.decode(VALUES, sent.value))


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def test_the_newest_steps_of_all_robots_come_first() -> None:
    pending = PendingSteps(max_per_robot=6)
    for robot in ("r1", "r2"):
        for step in read_steps(message(steps_of([-0.5] * 8, episode_id="e", robot_id=robot))):
            pending.add(step)
    steps, num_dropped = pending.take(5)
    assert num_dropped == 16 - 5
    assert [step.step_index for step in steps if step.robot_id == "r1"] == [5, 6, 7]
    assert [step.step_index for step in steps if step.robot_id == "r2"] == [6, 7]
    assert pending.take(5) == ([], 0)


def test_only_rollout_and_evaluation_are_scored() -> None:
    sources = ("demonstration", "rollout", "evaluation", "simulated_expert")
    found = [read_steps(message(steps_of([-0.5], episode_id="e", source=source))) for source in sources]
    assert [len(steps) for steps in found] == [0, 1, 1, 0]


def test_a_damaged_picture_costs_its_own_step_alone() -> None:
    good = steps_of([-0.4, -0.6], episode_id="e")
    bad = steps_of([-0.5], episode_id="e", robot_id="r2", picture=b"\xff\xd8\xff no picture \xff\xd9")
    steps = [step for batch in (good, bad) for step in read_steps(message(batch))]
    assert [scored.value for scored in score(CRITIC, steps)] == pytest.approx([-0.4, -0.6])


def test_every_robot_has_a_live_value(fleet: Fleet) -> None:
    for robot in ("r1", "r2"):
        fleet.live.take_steps(message(steps_of([-0.6, -0.5], episode_id=f"e-{robot}", robot_id=robot)))
    fleet.live.cycle(CRITIC)
    shown = {value.robot_id: value for value in fleet.listener.values}
    assert set(shown) == {"r1", "r2"}
    assert (shown["r2"].episode_id, shown["r2"].step_index, shown["r2"].critic_version) == ("e-r2", 1, "scripted")
    assert shown["r2"].value == pytest.approx(-0.5)
    assert fleet.steps("scored") == 4


def test_what_is_too_much_is_dropped_and_counted() -> None:
    fleet = Fleet(LiveCriticConfig(max_steps=10))
    fleet.live.take_steps(message(steps_of(CALM, episode_id="e")))
    fleet.live.cycle(CRITIC)
    assert (fleet.steps("scored"), fleet.steps("dropped")) == (10, 30)
    assert fleet.listener.values[-1].step_index == 39


def test_steps_of_another_body_are_not_scored(fleet: Fleet) -> None:
    other = [dataclasses.replace(step, spec_id="another") for step in steps_of(CALM, episode_id="e")]
    fleet.live.take_steps(message(other))
    fleet.live.cycle(CRITIC)
    assert fleet.steps("other_embodiment") == 40
    assert fleet.listener.values == []


def test_nothing_is_scored_without_a_critic() -> None:
    fleet = Fleet()
    fleet.live.cycle(None)
    fleet.live.take_steps(message(steps_of(CALM, episode_id="e")))
    fleet.live.cycle(None)
    fleet.live.cycle(CRITIC)
    assert fleet.listener.values == []


def test_a_drop_asks_once_in_words(fleet: Fleet) -> None:
    fleet.calibrate()
    assert fleet.listener.requests == []
    fleet.run(FALLING, Outcome.FAILURE)
    (request,) = fleet.listener.requests
    assert (request.robot_id, request.trigger, request.options) == ("r1", "value_drop", OPTIONS)
    assert request.reason.startswith("value fell 0.")
    assert request.reason.endswith(" in 3 s")
    assert fleet.requests("asked") == 1


def test_nobody_is_asked_before_it_is_known_what_is_usual(fleet: Fleet) -> None:
    for _ in range(19):
        fleet.run(CALM, Outcome.SUCCESS)
    fleet.run(FALLING, Outcome.FAILURE)
    assert fleet.listener.requests == []


def test_episodes_of_which_little_was_scored_say_nothing_of_what_is_usual() -> None:
    fleet = Fleet(LiveCriticConfig(max_steps=1))
    fleet.calibrate()
    assert fleet.steps("dropped") > fleet.steps("scored")
    fleet.run(FALLING, Outcome.FAILURE)
    assert fleet.listener.requests == []


def test_evaluation_and_helped_steps_ask_for_nothing(fleet: Fleet) -> None:
    fleet.calibrate()
    fleet.run(FALLING, Outcome.FAILURE, source="evaluation")
    fleet.run(FALLING, Outcome.SUCCESS, modes=dict.fromkeys(range(8, 40), "correcting"))
    assert fleet.listener.requests == []


def test_a_robot_is_left_in_peace_for_a_while(fleet: Fleet) -> None:
    fleet.calibrate()
    fleet.run(FALLING, Outcome.FAILURE)
    fleet.now_s -= 55.0
    fleet.run(FALLING, Outcome.FAILURE)
    assert len(fleet.listener.requests) == 1
    fleet.run(FALLING, Outcome.FAILURE)
    assert len(fleet.listener.requests) == 2


def test_what_the_gateway_refused_is_no_request(fleet: Fleet) -> None:
    fleet.calibrate()
    fleet.listener.refuses = True
    fleet.run(FALLING, Outcome.FAILURE)
    assert [fleet.requests(result) for result in ("asked", "refused", "right", "missed")] == [1, 1, 0, 1]


def test_false_alarms_and_missed_failures_are_counted(fleet: Fleet) -> None:
    fleet.calibrate()
    fleet.run(FALLING, Outcome.FAILURE)
    fleet.run(FALLING, Outcome.SUCCESS)
    fleet.run(CALM, Outcome.TIMED_OUT)
    assert [fleet.requests(result) for result in ("asked", "right", "false_alarm", "missed")] == [2, 1, 1, 1]
    assert fleet.metrics.value("touchline_critic_help_quality", measure="precision") == pytest.approx(0.5)
    assert fleet.metrics.value("touchline_critic_help_quality", measure="recall") == pytest.approx(0.5)


def test_another_critic_begins_anew(fleet: Fleet) -> None:
    fleet.calibrate()
    newer = scripted("newer")
    fleet.live.take_steps(message(steps_of([-0.3] * 20, episode_id="across")))
    fleet.live.cycle(CRITIC)
    fleet.live.take_steps(message(steps_of([-0.9] * 20, episode_id="across", first=20)))
    fleet.live.cycle(newer)
    fleet.live.take_steps(message(steps_of([-0.9] * 5, episode_id="across", first=40)))
    fleet.live.cycle(newer)
    assert fleet.listener.values[-1].critic_version == "newer"
    fleet.run(FALLING, Outcome.FAILURE, critic=newer)
    assert fleet.listener.requests == []
    assert {value.critic_version for value in fleet.kept()} == {"scripted-live", "newer-live"}
    assert not any(value.episode_id == "across" for value in fleet.kept())


def test_values_of_ended_episodes_are_kept_with_their_returns(fleet: Fleet) -> None:
    fleet.run(CALM, Outcome.SUCCESS)
    fleet.run(CALM[:30], Outcome.FAILURE)
    kept = list(fleet.kept())
    assert [value.seq for value in kept] == list(range(70))
    success, failure = kept[:40], kept[40:]
    divisor = SCALE.longest_steps + SCALE.failure_cost_steps
    assert [value.return_to_go for value in success] == pytest.approx([-(39 - step) / divisor for step in range(40)])
    assert failure[-1].return_to_go == pytest.approx(-SCALE.failure_cost_steps / divisor)
    assert [value.value for value in success] == pytest.approx(CALM)
    assert not any(value.improvement_indicator for value in failure)
    assert all(value.critic_version == "scripted-live" for value in kept)


def test_an_episode_that_nobody_judged_waits_for_its_label(fleet: Fleet) -> None:
    name = fleet.run(CALM, Outcome.UNLABELLED)
    assert list(fleet.kept()) == []
    fleet.live.take_label(
        Label(boot_id="g", seq=0, episode_id=name, outcome="success", progress=0, reason="", author="ann", time_ns=1)
    )
    fleet.live.cycle(CRITIC)
    assert len(list(fleet.kept())) == 40


def test_an_episode_that_was_not_seen_whole_is_not_kept(fleet: Fleet) -> None:
    fleet.live.take_steps(message(steps_of(CALM[5:], episode_id="late", first=5)))
    fleet.live.take_steps(message(steps_of(CALM[:5], episode_id="gap", robot_id="r2")))
    fleet.live.take_steps(message(steps_of(CALM[10:], episode_id="gap", robot_id="r2", first=10)))
    for name in ("late", "gap"):
        fleet.live.take_episode(ended(name, 40, Outcome.SUCCESS))
    fleet.live.cycle(CRITIC)
    assert list(fleet.kept()) == []


def test_live_values_mean_what_the_learners_mean() -> None:
    """The same episode, judged live and by the learner among others: same returns, same advantages."""
    data, config = toy_data(num_demonstrations=0), AdvantageConfig()
    segments = split(data.experience, config)
    outcome = returns(data.experience, segments, config)
    value = np.random.default_rng(0).uniform(-1, 0, data.experience.num_steps)
    advantage = advantages(outcome, segments, value, config)
    longest = float(data.experience.length.max())
    scale = dataclasses.replace(SCALE, longest_steps=longest, failure_cost_steps=longest)
    critic = dataclasses.replace(CRITIC, tasks={TASK: scale})
    fleet = Fleet()
    fleet.live.cycle(critic)
    for episode in range(0, data.experience.num_episodes, 3):
        steps = _steps(data, episode)
        fleet.run(
            value[steps].astype(np.float32).tolist(),
            Outcome.SUCCESS if data.experience.is_success[episode] else Outcome.FAILURE,
            modes={i: "correcting" for i in np.flatnonzero(data.experience.is_correction[steps]).tolist()},
            critic=critic,
        )
        kept = list(fleet.kept())[-len(steps) :]
        assert [one.return_to_go for one in kept] == pytest.approx(outcome.return_to_go[steps].tolist())
        assert [one.advantage for one in kept] == pytest.approx(advantage[steps].tolist(), abs=1e-6)


def _steps(data: ArrayData, episode: int) -> range:
    first = int(data.experience.start[episode])
    return range(first, first + int(data.experience.length[episode]))


@pytest.mark.parametrize("fields", [{"period_s": 0.0}, {"max_steps": 0}, {"niceness": 20}])
def test_settings_are_checked(fields: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        LiveCriticConfig(**fields)  # type: ignore[arg-type]
