"""Who can do BusyBox, and who cannot: `python -m benchmarks busybox [--scenes N] [--modules NAME ...]`.

The expert and the demonstrator on canonical and rearranged boxes, and the expert with numb fingers: it sees all
that the expert sees, feels no force, and presses buttons and plug to the nominal depth that serves it best.
"""

import argparse
from collections.abc import Callable, Sequence

from benchmarks.tally import measure
from policy.schema import Float32
from robots.busybox.demonstrate import Demonstrator
from robots.busybox.expert import Expert
from robots.busybox.layout import MODULES
from robots.busybox.robot import BusyBox, BusyBoxConfig
from robots.busybox.scene import NOMINAL_CAP_M, NOMINAL_RIM_M
from robots.task import Driver, Privileged

NOMINAL_DEPTH_M = {"buttons": 0.006, "wire": 0.011}
"""Below the average cap, or rim: where most clicks are, found by trying."""
_FORCES = ("force_x_n", "force_y_n", "force_z_n", "force_n", "torque_n_m")


class NumbExpert:
    """The expert without touch; one per episode."""

    def __init__(self) -> None:
        self._expert, self._has_pressed = Expert(), False

    def act(self, privileged: Privileged) -> Float32:
        """The next action, float32[5] in [-1, 1]."""
        p = dict(privileged) | dict.fromkeys(_FORCES, 0.0)
        module = MODULES[round(p["module"])]
        if module == "buttons":
            self._has_pressed |= p["tip_z_m"] < NOMINAL_CAP_M - NOMINAL_DEPTH_M[module]
            p["is_reached"] = float(self._has_pressed)
        if module == "wire":
            away_m = abs(p["wire_x_m"] - p["socket_x_m"]) + abs(p["wire_y_m"] - p["socket_y_m"])
            self._has_pressed |= away_m < 0.004 and p["wire_z_m"] < NOMINAL_RIM_M - NOMINAL_DEPTH_M[module]
            p |= {"is_reached": float(self._has_pressed), "socket_rim_m": NOMINAL_RIM_M}
        return self._expert.act(p)


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line per driver and arrangement, then numb fingers per module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=200, help="scenes of each line")
    parser.add_argument("--modules", nargs="+", default=MODULES, choices=MODULES, help="which may be asked for")
    arguments = parser.parse_args(argv)
    drivers: dict[str, Callable[[int], Driver]] = {"expert": lambda _: Expert(), "demonstrator": Demonstrator}
    modules = tuple(arguments.modules)
    for is_rearranged in (False, True):
        for name, driver in drivers.items():
            tally = measure(
                BusyBox(BusyBoxConfig(modules=modules, is_rearranged=is_rearranged)), driver, arguments.scenes
            )
            print(f"{name:<14}{'rearranged' if is_rearranged else 'canonical':<12}{tally}", flush=True)
    for module in modules:
        tally = measure(BusyBox(BusyBoxConfig(modules=(module,))), lambda _: NumbExpert(), arguments.scenes)
        print(f"{'numb expert':<14}{module:<12}{tally}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
