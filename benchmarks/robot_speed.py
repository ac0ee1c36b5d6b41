"""How fast the simulated robot is: `python -m benchmarks.robot_speed [--robots N] [--steps N]`.

One process, one core; the expert drives, so that contacts are as frequent as at work.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Sequence


@dataclasses.dataclass
class _Clock:
    """Sums up what each part takes."""

    apply_ms: list[float] = dataclasses.field(default_factory=list)
    observe_ms: list[float] = dataclasses.field(default_factory=list)


def measure(num_robots: int, num_steps: int) -> _Clock:
    """Step `num_robots` robots `num_steps` times each, with pictures."""
    from robots.expert import Expert
    from robots.plug_insertion import PlugInsertion

    expert = Expert()
    robots = [PlugInsertion() for _ in range(num_robots)]
    for seed, robot in enumerate(robots):
        robot.reset(seed)
    clock = _Clock()
    for step in range(num_steps):
        for seed, robot in enumerate(robots):
            action = expert.correct(robot.privileged())
            started = time.perf_counter()
            status = robot.apply(action)
            applied = time.perf_counter()
            robot.observe()
            clock.apply_ms.append((applied - started) * 1000)
            clock.observe_ms.append((time.perf_counter() - applied) * 1000)
            if status.is_terminal or status.is_truncated:
                robot.reset(seed + (step + 1) * num_robots)
    return clock


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line per part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--robots", type=int, default=16, help="robots in the process")
    parser.add_argument("--steps", type=int, default=100, help="control steps of each robot")
    arguments = parser.parse_args(argv)
    clock = measure(arguments.robots, arguments.steps)
    for name, times_ms in (("25 physics steps", clock.apply_ms), ("two pictures", clock.observe_ms)):
        slow = statistics.quantiles(times_ms, n=100)[98]
        print(f"{name:<18} median {statistics.median(times_ms):.2f} ms   p99 {slow:.2f} ms")
    total_s = (sum(clock.apply_ms) + sum(clock.observe_ms)) / 1000
    print(f"{arguments.robots} robots: {len(clock.apply_ms) / total_s:.0f} control steps/s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
