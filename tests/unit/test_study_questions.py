"""What questions f and g ask, and that they ask it of the cells that others computed."""

import itertools
import json

from robots import tasks
from study import question_g, verdict
from study.cell import Kind
from study.plan import MINIATURE, Scale
from study.questions import QUESTIONS


def test_critics_are_measured_on_the_data_of_study_a() -> None:
    ours = [cell for _, cell in QUESTIONS["f"].arms("plug_insertion", 3, Scale(), {})]
    theirs = {cell.id for _, wanted in QUESTIONS["a"].arms("plug_insertion", 3, Scale(), {}) for cell in wanted.parents}
    assert {parent.id for cell in ours for parent in cell.parents} <= theirs


def test_the_critic_as_it_is_makes_a_policy_of_study_a() -> None:
    arms = {arm: cell for arm, cell in QUESTIONS["f"].arms("plug_insertion", 3, Scale(), {})}
    theirs = {cell.id for _, cell in QUESTIONS["a"].arms("plug_insertion", 3, Scale(), {})}
    shared = [arm.name for arm, cell in arms.items() if cell.id in theirs]
    assert shared == ["as is"]
    assert len({cell.id for cell in arms.values()}) == len(arms) == 13


def test_changes_go_into_every_variant_of_a_critic() -> None:
    changes = {"recap": {"critic": {"min_episodes": 2}, "value": {"num_updates": 3}}}
    cells = {arm.name: cell for arm, cell in QUESTIONS["f"].arms("plug_insertion", 3, MINIATURE, changes)}
    for cell in cells.values():
        assert cell.settings["changes"]["critic"]["min_episodes"] == 2
        assert cell.settings["changes"]["value"]["num_updates"] == 3
    assert cells["two networks"].settings["changes"]["critic"]["num_networks"] == 2


def test_the_world_changes_bit_by_bit_and_twice_at_once() -> None:
    found = question_g.conditions(20)
    friction = [options["friction"] for options in found]
    assert (friction[0], friction[-1]) == (0.15, 0.45)
    assert friction == sorted(friction)
    first, second = question_g.jumps(20)
    changed = [
        number for number, (one, other) in enumerate(itertools.pairwise(found), start=2) if one.keys() != other.keys()
    ]
    assert changed == [first, second] == [7, 14]


def test_every_condition_is_one_that_the_task_takes() -> None:
    for options in question_g.conditions(20)[::6]:
        robot = tasks.find("plug_insertion").make_robot(json.loads(json.dumps(options)))
        robot.reset(1)
        robot.close()


def test_a_task_that_cannot_change_so_is_not_asked() -> None:
    assert not list(QUESTIONS["g"].arms("busybox", 0, Scale(), {}))
    assert {cell.kind for _, cell in QUESTIONS["g"].arms("plug_insertion", 0, Scale(), {})} == {Kind.DRIFT}


def test_the_verdict_knows_the_settings_of_study_a() -> None:
    settings = {arm.setting[:2] for arm, _ in QUESTIONS["a"].arms("plug_insertion", 2, Scale(), {})}
    assert verdict.GOOD_HELP in settings
    assert len(settings - {verdict.GOOD_HELP, ("", "")}) >= 3


def test_seeds_by_which_whom_to_believe_was_chosen_say_nothing_of_imperfect_people() -> None:
    def people(task: str, seed: int) -> set[str]:
        return {arm.setting[1] for arm, _ in QUESTIONS["a"].arms(task, seed, Scale(), {})} - {""}

    assert people("plug_insertion", 1) == {"fast"}
    assert people("plug_insertion", 2) == people("busybox", 1) == {"fast", "imperfect"}
