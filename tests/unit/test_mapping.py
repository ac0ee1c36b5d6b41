import json
from pathlib import Path
from typing import Any

import pytest

from corrections.device import clipped
from corrections.mapping import MappingConfig, action_of, shape
from policy.errors import ConfigError

CONFIG = MappingConfig()
TABLE = json.loads((Path(__file__).parent.parent / "fixtures" / "mapping_cases.json").read_text())
"""The browser's tests read the same numbers."""


@pytest.mark.parametrize("value", [0.0, 0.049, 0.05, -0.05])
def test_nothing_moves_inside_the_dead_zone(value: Any) -> None:
    assert shape(value, CONFIG) == 0.0


def test_the_curve_is_odd_continuous_monotonic_and_full_at_the_end() -> None:
    values = [shape(i / 100, CONFIG) for i in range(101)]
    assert values == sorted(values)
    assert values[-1] == 1.0
    assert values[6] < 0.001
    assert [shape(-i / 100, CONFIG) for i in range(101)] == [-value for value in values]
    assert shape(3.0, CONFIG) == 1.0


def test_axes_go_where_they_are_mapped_at_the_chosen_speed() -> None:
    config = MappingConfig(dead_zone=0, curve=1, axes=("y", "-x", "yaw"))
    axes = (0.2, 0.4, 0.0, 0.0, 0.0, 1.0)
    assert action_of(axes, config, speed_level=2, num_action=3) == pytest.approx((0.4, -0.2, 1.0))
    assert action_of(axes, config, speed_level=0, num_action=2) == pytest.approx((0.1, -0.05))
    assert action_of(axes, config, speed_level=2, num_action=5)[3:] == (0.0, 0.0)


def test_every_row_of_the_table_that_the_browser_shares() -> None:
    for case in TABLE["cases"]:
        fields = TABLE["mappings"][case["mapping"]]
        config = MappingConfig(
            dead_zone=fields["dead_zone"],
            curve=fields["curve"],
            speeds=tuple(fields["speeds"]),
            axes=tuple(fields["axes"]),
        )
        action = action_of(tuple(case["axes"]), config, speed_level=case["speed_level"], num_action=case["num_action"])
        assert action == pytest.approx(case["action"], abs=1e-11), case


@pytest.mark.parametrize(
    "wrong", [{"dead_zone": 1}, {"curve": 0}, {"speeds": ()}, {"speeds": (2.0,)}, {"axes": ("w",)}]
)
def test_settings_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        MappingConfig(**wrong)


def test_what_is_not_a_number_is_rest() -> None:
    assert [clipped(value) for value in (float("nan"), float("inf"), 2.0, -2.0, 0.5)] == [0, 0, 1, -1, 0.5]
