"""Study b: what is touch worth? The same demonstrations and updates, with touch as it is, zeroed, late and noisy.

Written down before running: the base's success over held-out scenes, in which touch is tampered with in the
same way in training and in acting; on - off, on - late, on - noisy.
"""

from collections.abc import Iterator

from study.cell import Cell
from study.plan import Arm, Changes, Question, Scale
from study.recipes import Recipes
from study.touch import Touch


def _arms(task: str, seed: int, scale: Scale, changes: Changes) -> Iterator[tuple[Arm, Cell]]:
    for touch in Touch:
        world = {"task": task, "seed": seed, "touch": str(touch)}
        yield Arm(task=task, seed=seed, name=str(touch), setting=()), Recipes(world, scale, changes).base()


QUESTION = Question(
    name="b",
    title="what is touch worth?",
    columns=(),
    comparisons=(("on", "off"), ("on", "late"), ("on", "noisy")),
    arms=_arms,
)
