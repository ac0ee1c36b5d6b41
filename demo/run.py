"""One demonstration from an empty home to the report."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from demo import conclusion, report
from demo.options import DemoConfig
from demo.screen import Screen
from demo.stages import Stages
from demo.watch import Watch
from infra import connect
from infra.fleet import load_doors
from infra.home import Home
from infra.local import Supervisor
from infra.registry import MlflowConfig
from infra.service import Service
from policy.errors import ConfigError, TouchlineError
from policy.spec import EmbodimentSpec
from storage.audit import Audit
from storage.tables import LakeConfig, lake_of

_DRAIN_S = 180.0
"""All stages of the fleet together; each has its own, shorter limit."""
_INTERRUPTED_CODE = 130
MARKER_FILE = "demo"
"""In a home that a demo made, and so may delete."""


def run(options: DemoConfig, home_path: Path | None, config_file: Path | None) -> int:
    """Run it; 0 if the evidence holds, 1 if not, 130 after Ctrl-C.

    Raises:
        ConfigError: the home is in use, or is no demo's.
        TouchlineError: a process could not be started, or nothing was ever released.
    """
    out = Path(options.out)
    home = Home(home_path or out / "home")
    events: list[str] = []
    with (
        Service("demo", drain_s=_DRAIN_S, logs_to_stderr=False) as frame,
        # Taken before it is cleared: a second demo must not delete the files of one that runs.
        Supervisor(home, on_event=events.append, should_stop=frame.stopping.is_set) as supervisor,
    ):
        clear(home)
        lake = lake_of(LakeConfig(), home)
        watch = Watch(lake)
        with Screen(watch, options.minutes) as screen:
            stages = Stages(
                config=options,
                doors=load_doors(config_file),
                supervisor=supervisor,
                lake=lake,
                watch=watch,
                screen=screen,
                events=events,
                stopping=frame.stopping,
            )
            balance = stages.run()
            if balance is None:
                screen.event("interrupted: no report")
                return _INTERRUPTED_CODE
            found = _conclude(options, home, stages, balance)
            figures = conclusion.figures(found, lake)
            report.write(out, found, figures, conclusion.pictures(found, lake, watch, _spec(home)))
            for line in summary(found, out):
                screen.event(line)
    return 0 if found.evidence_holds else 1


def clear(home: Home) -> None:
    """Forget an earlier demo; the lock that we hold stays.

    Raises:
        ConfigError: the home is somebody's fleet, which a demo must not delete.
    """
    marker = home.path / MARKER_FILE
    ours = {marker, home.lock_file, home.fleet_file}  # its supervisor, who holds it, has made them anew
    paths = set(home.path.iterdir()) - ours
    if paths and not marker.exists():
        raise ConfigError(f"{home.path} holds a fleet or files that are no demo's; name another --out or --home")
    marker.touch()
    for path in paths:  # files too: one says who is enrolled, and means nothing without their keys
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def summary(found: report.Report, out: Path) -> Sequence[str]:
    """The result in a few lines."""
    lines = [
        f"v{v.version} {v.role}: success {v.success_rate:.1%} [{v.success_low:.1%}, {v.success_high:.1%}] of "
        f"{v.num_episodes} {v.split} scenes, {v.throughput_per_robot_hour:,.0f} successes per robot-hour"
        for v in found.versions
    ]
    lines += [f"{name.replace('_', ' ')}: {'met' if met else 'not met'}" for name, met in found.targets.items()]
    lines.append(
        f"steps: {found.steps['recorded']:,} recorded, {found.steps['lost']} lost, {found.steps['doubled']} doubled"
    )
    lines.append(found.value_drop.in_words)
    lines.append(f"the evidence {'holds' if found.evidence_holds else 'does not hold'}; {out / 'report.html'}")
    return lines


def _conclude(options: DemoConfig, home: Home, stages: Stages, balance: Audit) -> report.Report:
    settings = home.fleet()["settings"]["mlflow"]
    registry = connect.registry(MlflowConfig(**settings))
    return conclusion.conclude(options, stages.watch, registry, balance, stages.elapsed_s)


def _spec(home: Home) -> EmbodimentSpec:
    """The robots' embodiment, as they left it."""
    for path in sorted((home.path / "specs").glob("*.json")):
        return EmbodimentSpec.from_json(path.read_text())
    raise TouchlineError("no robot left its embodiment", path=str(home.path / "specs"))
