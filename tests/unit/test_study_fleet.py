"""A fleet on the virtual clock."""

from pathlib import Path

import numpy as np
import pytest

from policy import checkpoint
from policy.errors import ConfigError
from policy.flow import Guidance
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.schema import Outcome
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from robots import tasks
from study import episode
from study.fleet import Fleet, FleetConfig, minutes_to
from study.person import PersonConfig
from study.rollout import RolloutConfig, demonstrate, roll_out
from study.world import World, WorldConfig

_TASK = tasks.find("plug_insertion")


def _untrained() -> Policy:
    robot = _TASK.make_robot({})
    (shown,) = demonstrate(_TASK, robot, [1])
    normaliser = Normaliser.fit(
        state=np.stack([o.state for o in shown.observations]),
        tactile=np.stack([o.tactile for o in shown.observations]),
        action=np.stack(shown.actions),
    )
    words = Vocabulary.of([shown.observations[0].instruction])
    return Policy.create(PolicyConfig(), robot.spec, words, normaliser)


def _curve(*rates: float) -> list[dict[str, float]]:
    return [{"success_rate": rate, "fleet_minutes": 2.0 * index} for index, rate in enumerate(rates, start=1)]


def test_the_target_is_reached_where_it_holds_twice() -> None:
    assert minutes_to(_curve(0.5, 0.92, 0.8, 0.9, 0.95), 0.9) == 8.0


@pytest.mark.parametrize("rates", [(), (0.95,), (0.95, 0.5, 0.95)])
def test_a_target_that_is_not_held_has_no_time(rates: tuple[float, ...]) -> None:
    assert minutes_to(_curve(*rates), 0.9) is None


@pytest.mark.parametrize("field", ["num_robots", "num_rounds", "round_minutes", "updates_per_minute"])
def test_a_fleet_needs_some_of_everything(field: str) -> None:
    fields = {"num_robots": 1, "num_rounds": 1, "round_minutes": 1.0, "updates_per_minute": 1, field: 0}
    with pytest.raises(ConfigError, match=field):
        FleetConfig(**fields)  # type: ignore[arg-type]


def test_episodes_that_have_begun_end_in_their_own_time() -> None:
    world = World(WorldConfig(task="plug_insertion", seed=0))
    person = PersonConfig(attention=0.0)
    worked = list(world.work(_untrained(), Guidance(), person, num_robots=2, minutes=0.02, round=1))
    # 24 ticks, which an untrained policy's last episodes outlast, unless it breaks the connector: they are whole.
    assert len(worked) >= 2
    assert all(one.outcome for one in worked)
    assert sum(one.num_steps > 24 for one in worked) >= 1


def test_a_history_that_is_to_end_at_the_target_ends_there_and_keeps_no_episodes(tmp_path: Path) -> None:
    world = World(WorldConfig(task="plug_insertion", seed=0))
    demonstrations = tmp_path / "demonstrations.npz"
    episode.save(demonstrations, list(world.demonstrations(1)))
    checkpoint.save(tmp_path / "base", _untrained())
    config = FleetConfig(
        num_robots=2,
        num_rounds=6,
        round_minutes=0.02,
        updates_per_minute=50,
        algorithm="hg_dagger",
        target=0.0,
        ends_at_target=True,
    )
    fleet = Fleet(config, world, PersonConfig(attention=0.0), tmp_path, seed=0)
    found = fleet.run(tmp_path / "base", demonstrations, 2)
    assert [entry["round"] for entry in found["curve"]] == [2, 3]
    assert found["minutes_to_target"] == found["curve"][0]["fleet_minutes"] > 0
    assert not list(tmp_path.glob("round-*"))


def test_robots_start_again_until_the_time_is_up() -> None:
    robots = [_TASK.make_robot({})]
    rolled = roll_out(
        _untrained(),
        robots,
        range(50),
        guidance=Guidance(),
        config=RolloutConfig(),
        seed=0,
        keeps_observations=False,
        num_ticks=130,
    )
    lengths = [one.num_steps for one in rolled]
    assert sum(lengths[:-1]) < 130 <= sum(lengths)


def test_an_episodes_time_waits_while_a_person_drives() -> None:
    world = World(WorldConfig(task="plug_insertion", seed=0))
    mistaken = PersonConfig(mistaken_share=1.0, mistake_m=0.05, num_correction_ticks=(300, 300))
    worked = list(world.collect(_untrained(), Guidance(), mistaken, 6, round=1))
    timed_out = [one for one in worked if one.outcome is Outcome.TIMED_OUT]
    assert timed_out
    for one in timed_out:
        num_held = sum(one.is_correction) + sum(one.is_held)
        assert one.num_steps == 120 + min(num_held, 120)
