"""Limits last: every one of them, and the words for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from actor.safety import BOX, CHANGE, NOT_FINITE, STALE, WORKSPACE, Guarded, Hit, Limits, LimitsConfig, guard
from policy.errors import ConfigError
from policy.schema import Float32
from tests.actor_rig import SPEC

FENCED = LimitsConfig(max_change=0.5, workspace=("move0:position0:-0.5:0.5",))


def guarded(
    action: list[float],
    *,
    previous: list[float] | None = None,
    state: list[float] | None = None,
    age_s: float = 0.0,
    config: LimitsConfig = FENCED,
) -> Guarded:
    return guard(
        np.array(action, np.float32),
        previous=np.array(previous or [0, 0], np.float32),
        state=np.array(state or [0, 0], np.float32),
        observation_age_s=age_s,
        limits=Limits.of(SPEC, config),
    )


def test_an_action_within_every_limit_passes_unchanged() -> None:
    result = guarded([0.4, -0.4])
    np.testing.assert_array_equal(result.action, np.array([0.4, -0.4], np.float32))
    assert (result.is_hold, result.hits) == (False, ())


def test_the_box_bites() -> None:
    result = guarded([3.0, 0.0], previous=[0.9, 0.0])
    np.testing.assert_array_equal(result.action, np.array([1, 0], np.float32))
    assert result.hits == (Hit(channel="move0", limit=BOX),)


def test_a_change_is_eased() -> None:
    result = guarded([-1.0, 0.0], previous=[1.0, 0.0])
    np.testing.assert_array_equal(result.action, np.array([0, 0], np.float32))
    assert result.hits == (Hit(channel="move0", limit=CHANGE),)


@pytest.mark.parametrize(
    ("x", "wanted", "executed"), [(-0.6, -0.4, 0.0), (-0.6, 0.4, 0.4), (0.6, 0.4, 0.0), (0.6, -0.4, -0.4)]
)
def test_a_fence_lets_only_back_in(x: float, wanted: float, executed: float) -> None:
    result = guarded([wanted, 0.0], state=[x, 0.0])
    assert result.action[0] == np.float32(executed)
    assert result.hits == (() if wanted == executed else (Hit(channel="move0", limit=WORKSPACE),))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused_as_a_whole(value: float) -> None:
    result = guarded([value, 0.5])
    assert result.is_hold
    np.testing.assert_array_equal(result.action, np.array([0, 0], np.float32))
    assert result.hits == (Hit(channel="", limit=NOT_FINITE),)


def test_the_watchdog_holds_on_old_senses() -> None:
    assert guarded([0.1, 0.1], age_s=0.6).hits == (Hit(channel="", limit=STALE),)
    assert guarded([0.1, 0.1], age_s=0.6).is_hold


@given(
    wanted=nps.arrays(np.float32, (2,), elements=st.floats(width=32)),
    previous=nps.arrays(np.float32, (2,), elements=st.floats(-1, 1, width=32)),
    state=nps.arrays(np.float32, (2,), elements=st.floats(-2, 2, width=32)),
)
def test_whatever_is_wanted_stays_within_limits(wanted: Float32, previous: Float32, state: Float32) -> None:
    limits = Limits.of(SPEC, LimitsConfig(max_change=0.25))
    result = guard(wanted, previous=previous, state=state, observation_age_s=0.0, limits=limits)
    assert result.action.dtype == np.float32
    assert (np.abs(result.action) <= 1).all()
    assert result.is_hold or (np.abs(result.action - previous) <= 0.5 + 1e-6).all()


@pytest.mark.parametrize(
    "fields",
    [
        {"max_change": 0.0},
        {"max_observation_age_s": 0.0},
        {"workspace": ("move0",)},
        {"workspace": ("move0:position0:low:1",)},
        {"workspace": ("move0:position0:1:-1",)},
        {"workspace": ("move0:position0:-inf:1",)},
    ],
)
def test_limits_that_cannot_be_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        LimitsConfig(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("fence", ["jump:position0:-1:1", "move0:height:-1:1"])
def test_a_fence_of_an_unknown_channel_is_refused(fence: str) -> None:
    with pytest.raises(ConfigError, match="unknown channel"):
        Limits.of(SPEC, LimitsConfig(workspace=(fence,)))
