"""What chaos can be told."""

import dataclasses

from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChaosConfig:
    """One run; who else is in the fleet is said by [fleet]."""

    minutes: float = 30.0
    """How long things are broken, from the first release on."""
    faults: int = 0
    """Things to break before it ends, also when `minutes` are not over; 0 for as many as there is time for."""
    seed: int = 0
    """Of what is broken, in which order and for how long; the fleet has its own, fleet.seed."""
    robots: int = 8
    """Simulated robots, shared by the fleet's actor processes."""
    pause_s: float = 3.0
    """Mean pause between a recovery and the next fault; drawn between half and one and a half times that."""
    freeze_s: float = 10.0
    """Longest time that a process is stopped (SIGSTOP) or a line cut."""
    recover_s: float = 120.0
    """How long the fleet may take to work again after one fault; longer breaks the promise."""
    promotions: int = 1
    """Releases that the judge must make while things break; 0 for runs too short for one."""
    out: str = "runs/chaos"
    """Folder of report.json, report.md and the fleet's home; an earlier run's is replaced."""

    def __post_init__(self) -> None:
        for name in ("minutes", "robots", "freeze_s", "recover_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"chaos.{name} must be above 0", value=getattr(self, name))
        for name in ("faults", "pause_s", "promotions"):
            if getattr(self, name) < 0:
                raise ConfigError(f"chaos.{name} must not be negative", value=getattr(self, name))
