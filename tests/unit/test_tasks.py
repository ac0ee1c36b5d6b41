"""Names to robots."""

import pytest

from policy.errors import ConfigError
from robots.plug_insertion import PlugInsertion
from robots.tasks import check, find, lesson, make, split


def test_by_name_with_options() -> None:
    robot = make("plug_insertion", {"image_size": 32})
    assert robot.spec.cameras[0].height == 32
    assert robot.spec.spec_id != make("plug_insertion").spec.spec_id


def test_options_that_follow_the_name() -> None:
    assert split("plug_insertion,shape=round,sockets_shift_m=[0.01,0]") == (
        "plug_insertion",
        {"shape": "round", "sockets_shift_m": [0.01, 0]},
    )
    robot = make("plug_insertion,image_size=32,shape=keyed", {"image_size": 48})
    assert robot.spec.cameras[0].height == 48
    assert len(robot.spec.action) == 4
    check("plug_insertion,shape=round")
    assert find("plug_insertion,shape=round").name == "plug_insertion"
    assert lesson("plug_insertion,shape=round") == lesson("plug_insertion")


def test_by_class() -> None:
    assert isinstance(make("robots.plug_insertion:PlugInsertion"), PlugInsertion)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("plug_insertoin", {}, "did you mean plug_insertion"),
        ("plug_insertion,shape", {}, "did you mean plug_insertion"),
        ("plug_insertion,shapes=round", {}, "shapes"),
        ("juggling", {}, "known: plug_insertion"),
        ("plug_insertion", {"image_sise": 3}, "image_sise"),
        ("robots.nowhere:Arm", {}, "robots.nowhere"),
        ("robots.robot:Arm", {}, "Arm"),
        ("missing.toml", {}, "missing.toml"),
    ],
)
def test_what_does_not_exist_is_named(task: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(task, options)
