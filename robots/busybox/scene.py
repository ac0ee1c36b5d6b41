"""What an episode's seed decides: the box, the goal, and all that can only be felt."""

import dataclasses

import numpy as np

from robots.busybox.goals import Goal, all_goals
from robots.busybox.layout import CANONICAL, CELLS_M, MODULES, PARTS, Place

NOMINAL_CAP_M = 0.018
"""Height of the average button's cap above the panel."""
NOMINAL_RIM_M = 0.018
"""Height of the average socket's rim above the panel."""

_MAX_SHIFT_M = 0.005
"""Of the whole box, either way along each axis."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Feel:
    """What differs between episodes and is not seen; one entry per part where there are several."""

    cap_m: tuple[float, ...]
    """Height of each button's cap above the panel: a pixel is worth about as much as the whole range."""
    click_depth_m: tuple[float, ...]
    click_force_n: tuple[float, ...]
    switch_n_m: tuple[float, ...]
    """Torque at which each switch gives way."""
    slider_n: tuple[float, ...]
    """Force at which each slider breaks free from where it sticks."""
    slider_friction_n: tuple[float, ...]
    """Force that keeps it moving."""
    knob_n_m: float
    """Torque from one of the knob's positions to the next."""
    rim_m: tuple[float, ...]
    """Height of each socket's rim above the panel."""
    latch_depth_m: tuple[float, ...]
    """Depth below the rim at which a socket's latch resists most."""
    latch_force_n: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Feel":
        """Random parts."""

        def several(low: float, high: float, count: int) -> tuple[float, ...]:
            return tuple(float(value) for value in rng.uniform(low, high, count))

        return cls(
            cap_m=several(NOMINAL_CAP_M - 0.004, NOMINAL_CAP_M + 0.004, 3),
            click_depth_m=several(0.003, 0.011, 3),
            click_force_n=several(2.5, 5.0, 3),
            switch_n_m=several(0.03, 0.07, 2),
            slider_n=several(1.5, 3.5, 2),
            slider_friction_n=several(0.3, 1.0, 2),
            knob_n_m=several(0.012, 0.034, 1)[0],
            rim_m=several(NOMINAL_RIM_M - 0.004, NOMINAL_RIM_M + 0.004, 2),
            latch_depth_m=several(0.004, 0.012, 2),
            latch_force_n=several(2.5, 4.5, 2),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that a scene seed decides."""

    goal: Goal
    wording: int
    """Which of the goal's wordings; a large number, to be taken modulo how many there are."""
    places: dict[str, Place]
    """Of each module."""
    positions: tuple[int, ...]
    """In which each part starts; never the goal's."""
    feel: Feel
    tip_m: tuple[float, float, float]
    """Where the gripper's tip starts."""
    twist_rad: float
    """How it is turned."""
    opening: float
    """How far it is open, 0 to 1."""

    @classmethod
    def draw(cls, rng: np.random.Generator, modules: tuple[str, ...] = MODULES, *, is_rearranged: bool) -> "Scene":
        """A random scene with a goal of one of these modules."""
        asked = modules[int(rng.integers(len(modules)))]
        goals = all_goals([asked])
        goal = goals[int(rng.integers(len(goals)))]
        positions = [int(rng.integers(len(part.positions))) for part in PARTS]
        if goal.module not in ("wire", "buttons"):
            others = [k for k in range(len(PARTS[goal.part].positions)) if k != goal.position]
            positions[goal.part] = others[int(rng.integers(len(others)))]
        tip = rng.uniform((-0.06, -0.04, 0.055), (0.06, 0.04, 0.085))
        return cls(
            goal=goal,
            wording=int(rng.integers(1_000_000)),
            places=_arranged(rng, is_rearranged=is_rearranged),
            positions=tuple(positions),
            feel=Feel.draw(rng),
            tip_m=(float(tip[0]), float(tip[1]), float(tip[2])),
            twist_rad=float(rng.uniform(-0.3, 0.3)),
            opening=float(rng.uniform(0.0, 1.0)),
        )


def _arranged(rng: np.random.Generator, *, is_rearranged: bool) -> dict[str, Place]:
    """Canonical, or with modules swapped and turned; the whole box shifted a little in both."""
    shift_x, shift_y = rng.uniform(-_MAX_SHIFT_M, _MAX_SHIFT_M, 2)
    cells, turns = rng.permutation(len(CELLS_M)), rng.integers(4, size=len(CELLS_M))
    return {
        module: Place(
            x_m=CELLS_M[cells[index] if is_rearranged else index][0] + float(shift_x),
            y_m=CELLS_M[cells[index] if is_rearranged else index][1] + float(shift_y),
            num_quarter_turns=int(turns[index]) if is_rearranged else 0,
        )
        for index, module in enumerate(CANONICAL)
    }
