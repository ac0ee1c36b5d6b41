"""Who can do BusyBox, and who cannot: `python -m benchmarks busybox [--scenes N] [--modules NAME ...]`.

The expert and the demonstrator on canonical and rearranged boxes, and the expert with numb fingers: it sees all
that the expert sees, feels no force, and presses buttons and plug to the nominal depth that serves it best.
"""

import argparse
import collections
import dataclasses
import statistics
from collections.abc import Callable, Sequence

from policy.schema import Float32, SceneSplit
from policy.statistics import wilson_interval
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


@dataclasses.dataclass(kw_only=True)
class Tally:
    """How episodes ended."""

    lengths: list[int] = dataclasses.field(default_factory=list)
    """Ticks of the successful ones."""
    failures: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """By reason."""

    def __str__(self) -> str:
        num_episodes = len(self.lengths) + self.failures.total()
        interval = wilson_interval(len(self.lengths), num_episodes)
        steps = ""
        if len(self.lengths) > 1:
            cuts = statistics.quantiles(self.lengths, n=20)
            steps = f"   steps {cuts[0]:.0f}, {cuts[9]:.0f}, {cuts[18]:.0f}"
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.failures.most_common())
        return f"{len(self.lengths)} of {num_episodes} [{interval.low:.3f}, {interval.high:.3f}]{steps}   {reasons}"


def measure(config: BusyBoxConfig, driver: Callable[[int], Driver], num_scenes: int) -> Tally:
    """One episode in each of the first scenes of the report split, without pictures."""
    robot, tally = BusyBox(config), Tally()
    for scene_seed in SceneSplit.REPORT.value[:num_scenes]:
        robot.restart(scene_seed)
        person, num_steps = driver(scene_seed), 0
        while True:
            status = robot.apply(person.act(robot.privileged()))
            num_steps += 1
            if status.is_terminal or status.is_truncated:
                break
        if status.reason:
            tally.failures[status.reason] += 1
        else:
            tally.lengths.append(num_steps)
    return tally


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
            tally = measure(BusyBoxConfig(modules=modules, is_rearranged=is_rearranged), driver, arguments.scenes)
            print(f"{name:<14}{'rearranged' if is_rearranged else 'canonical':<12}{tally}", flush=True)
    for module in modules:
        tally = measure(BusyBoxConfig(modules=(module,)), lambda _: NumbExpert(), arguments.scenes)
        print(f"{'numb expert':<14}{module:<12}{tally}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
