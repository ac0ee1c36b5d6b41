"""What the demo can be told."""

import dataclasses

from policy.errors import ConfigError
from robots import tasks


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """One demonstration."""

    algorithm: str = "recap"
    """recap, hg_dagger, filtered_bc or recap_random."""
    task: str = "plug_insertion"
    """What the robots do; one of the tasks named above, with options if you like: plug_insertion,shape=keyed."""
    robots: int = 16
    """Simulated robots, shared by two actor processes."""
    minutes: float = 20.0
    """Longest time from the first process to the report; learning stops in time for the final evaluation."""
    seed: int = 0
    """Of demonstrations, training and the operators."""
    out: str = "runs/demo"
    """Folder of report.json, report.html and the fleet's home; an earlier demo's is replaced."""
    report_episodes: int = 150
    """Held-out scenes without help for the base and for each champion; the evidence needs 150."""
    demonstrations: int = 0
    """Scripted demonstrations that the base learns from; 0 for as many as the task takes."""
    rounds: int = 2
    """Rounds of learning from deployment after the base; fewer where the time is up."""
    has_critic: bool = False
    """Whether the live critic watches and asks for help too: it takes a quarter of a core, and on two of them the
    learner then has no second version in time."""

    @property
    def lesson(self) -> tasks.Lesson:
        """What the base learns from: the task's own, but for the demonstrations that were asked for."""
        usual = tasks.lesson(self.task)
        return dataclasses.replace(usual, demonstrations=self.demonstrations or usual.demonstrations)

    def __post_init__(self) -> None:
        tasks.check(self.task)
        if self.robots < 2 or self.robots % 2:
            raise ConfigError("demo.robots must be an even number, at least 2", robots=self.robots)
        if self.demonstrations < 0:
            raise ConfigError("demo.demonstrations must not be negative", value=self.demonstrations)
        for name in ("minutes", "report_episodes", "rounds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"demo.{name} must be above 0", value=getattr(self, name))
