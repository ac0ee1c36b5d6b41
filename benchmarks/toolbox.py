"""Who can pack the toolbox, and who cannot: `python -m benchmarks toolbox [--scenes N]`.

The expert, the demonstrator, the expert from wherever a clumsy policy has come, and the expert with numb hands: it sees
all that the expert sees and even whether a grasp holds, feels no force, and presses clip and latch to the
nominal depth that serves it best.
"""

import argparse
import math
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.tally import measure
from policy.schema import Float32
from robots.task import Driver, Privileged
from robots.toolbox.demonstrate import Demonstrator
from robots.toolbox.expert import Expert
from robots.toolbox.model import HANDS, LID_M
from robots.toolbox.motion import GRIP_N
from robots.toolbox.robot import Toolbox

NOMINAL_CLIP_M = 0.0095
"""Depth below the rim: where most clips have clicked and most slots still go on."""
NOMINAL_LATCH_M = 0.0065
"""Likewise of the knob below a level lid."""
_OVER_SLOT_M = 0.015
"""A tool this near to its slot's middle is over it: on the table it lies deeper than any clip."""


class NumbExpert:
    """The expert without touch."""

    def __init__(self) -> None:
        self._expert = Expert()

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[14] in [-1, 1]."""
        p = dict(privileged)
        for hand, holds in zip(HANDS, ("holds_knob", "holds_tool"), strict=True):
            p |= {f"{hand}_force_{axis}_n": 0.0 for axis in "xyz"}
            p |= {f"{hand}_force_n": 0.0, f"{hand}_grip_n": GRIP_N if p[holds] else 0.0}
        depth_m = p["rim_m"] - p["tool_z_m"] + p["tool_half_m"]
        is_over = math.hypot(p["tool_x_m"] - p["slot_x_m"], p["tool_y_m"] - p["slot_y_m"]) < _OVER_SLOT_M
        p["is_seated"] = float(is_over and depth_m > NOMINAL_CLIP_M)
        p["is_latched"] = float(-LID_M * p["lid_rad"] > NOMINAL_LATCH_M)
        return self._expert.act(p)


class Clumsy:
    """Wanders about for a while, as a weak policy may, then leaves the rest to the expert."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng((seed, 13))
        self.num_clumsy = int(self._rng.integers(15, 60))
        self._drift = np.zeros(14)
        self._expert = Expert()

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[14] in [-1, 1]."""
        action = self._expert.act(privileged)
        self.num_clumsy -= 1
        if self.num_clumsy < 0:
            return action
        self._drift = 0.9 * self._drift + self._rng.normal(0, 0.2, 14)
        clumsy: Float32 = np.clip(action + self._drift, -1, 1).astype(np.float32)
        return clumsy


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line per driver."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=200, help="scenes of each line")
    arguments = parser.parse_args(argv)
    drivers: dict[str, Callable[[int], Driver]] = {
        "expert": lambda _: Expert(),
        "demonstrator": Demonstrator,
        "clumsy, then expert": Clumsy,
        "numb expert": lambda _: NumbExpert(),
    }
    for name, driver in drivers.items():
        print(f"{name:<21}{measure(Toolbox(), driver, arguments.scenes)}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
