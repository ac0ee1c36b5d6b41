import random
from typing import Any

import numpy as np
import pytest

from corrections.corrector import Corrector, QualityConfig, can_correct
from corrections.lookout import Lookout
from corrections.protocol import Help, LeaseState, RobotState
from policy.errors import ConfigError
from policy.schema import ControlMode, Outcome
from robots.plug_insertion import PlugInsertion

NOW = 1_000_000_000


def seen(
    privileged: Any, step_index: Any = 0, mode: Any = ControlMode.CORRECTING, episode_id: Any = "e", **fields: Any
) -> Any:
    return RobotState(
        robot_id="r",
        mode=mode,
        episode_id=episode_id,
        step_index=step_index,
        task_id="plug_insertion",
        privileged=privileged,
        **fields,
    )


@pytest.fixture(scope="module")
def body() -> Any:
    robot = PlugInsertion()
    yield robot
    robot.close()


@pytest.mark.parametrize("num_late", [0, 2])
def test_a_person_who_sees_late_and_shakes_still_inserts_the_plug(body: Any, num_late: Any) -> None:
    quality = QualityConfig(delay_s=0.05 * num_late)
    for seed in (1, 2):
        body.reset(seed)
        corrector = Corrector("plug_insertion", quality, random.Random(seed), 20.0, num_takeovers=quality.finish_after)
        actions = []
        while True:
            actions.append(corrector.act(seen(dict(body.privileged()))))
            status = body.apply(np.array(actions[-1], np.float32))
            if status.is_terminal or status.is_truncated:
                break
        assert status.outcome is Outcome.SUCCESS
        assert np.abs(actions).max() <= 1
        assert not corrector.is_done, "from the second takeover on a person drives to the end"


def test_the_same_seed_moves_the_same_hand(body: Any) -> None:
    body.reset(3)
    report = seen(dict(body.privileged()))
    first, second = (Corrector("plug_insertion", QualityConfig(), random.Random(5), 20.0) for _ in range(2))
    assert [first.act(report) for _ in range(5)] == [second.act(report) for _ in range(5)]


def test_it_hands_back_once_no_help_was_needed_for_a_while(body: Any) -> None:
    body.reset(4)
    corrector = Corrector("plug_insertion", QualityConfig(free_after_s=0.5), random.Random(0), 20.0)
    stuck = {**body.privileged(), "num_idle_ticks": 50.0}
    for _ in range(20):
        corrector.act(seen(stuck))
    assert not corrector.is_done
    for _ in range(10):
        assert not corrector.is_done
        corrector.act(seen(dict(body.privileged())))
    assert corrector.is_done


def test_the_lookout_waits_a_reaction_time_in_the_robots_time_or_in_wall_time(body: Any) -> None:
    body.reset(5)
    stuck = {**body.privileged(), "num_idle_ticks": 50.0}
    lookout = Lookout(QualityConfig(reaction_min_s=0.5, reaction_max_s=0.5), attention=1.0, seed=0)
    rates = {"r": 20.0}

    def ripe(state: Any, now_ns: Any, leases: Any = None) -> Any:
        lookout.update([state], now_ns)
        return [need.reason for need in lookout.ripe({"r": state}, leases or {}, rates, now_ns)]

    assert ripe(seen(dict(body.privileged())), NOW) == []
    assert ripe(seen(stuck, 10), NOW) == []
    assert ripe(seen(stuck, 19), NOW) == []
    assert len(ripe(seen(stuck, 20), NOW)) == 1, "half a second of a robot that runs ahead of the clock"
    assert len(ripe(seen(stuck, 10), NOW + 500_000_000)) == 1
    held = {"r": LeaseState(robot_id="r", epoch=1, is_held=True)}
    assert ripe(seen(stuck, 30), NOW, held) == []
    assert ripe(seen(stuck, 30, episode_id="f"), NOW) == [], "another episode needs another look"
    assert ripe(seen(dict(body.privileged()), 31, episode_id="f"), NOW + 10**9) == []


def test_what_the_lookout_leaves_alone(body: Any) -> None:
    body.reset(6)
    stuck = {**body.privileged(), "num_idle_ticks": 50.0}
    blind = Lookout(QualityConfig(reaction_min_s=0, reaction_max_s=0), attention=0.0, seed=0)

    def ripe(state: Any) -> Any:
        blind.update([state], NOW)
        return [need.reason for need in blind.ripe({"r": state}, {}, {"r": 20.0}, NOW)]

    assert ripe(seen(stuck)) == []
    assert ripe(seen(stuck, help=Help(request_id="1", reason="stuck"))) == []
    assert ripe(seen(stuck, mode=ControlMode.STOPPED)) == []
    assert ripe(seen(stuck, mode=ControlMode.LOST)) == ["lost its operator"]
    assert ripe(RobotState(robot_id="r", mode=ControlMode.LOST, task_id="plug_insertion")) == []
    assert not can_correct(RobotState(robot_id="r", mode=ControlMode.LOST, task_id="other", privileged={"a": 1.0}))


def test_attention_is_a_share_of_episodes_and_the_same_for_the_same_seed() -> None:
    shares = []
    for seed in (0, 0, 1):
        lookout = Lookout(QualityConfig(), attention=0.3, seed=seed)
        shares.append([lookout._watches(f"e{n}") for n in range(500)])
    assert 0.25 < np.mean(shares[0]) < 0.35
    assert shares[0] == shares[1] != shares[2]


@pytest.mark.parametrize("wrong", [{"reaction_min_s": 1.0}, {"delay_s": -1.0}, {"finish_after": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        QualityConfig(**wrong)
