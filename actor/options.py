"""What an actor process can be told; light, because `--help` reads it."""

import dataclasses

from policy.errors import ConfigError

EVERY_CANDIDATE = "candidates"
"""In place of a version: gate scenes of whatever is on trial."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ActorConfig:
    """Which robots, at which task, how fast."""

    name: str = ""
    """Of this process; its robots are NAME-0, NAME-1, ... Empty: actor, evaluator or demonstrator."""
    robots: int = 8
    """Robots of this process; they share one batched inference."""
    task: str = "plug_insertion"
    """One of ours, a Gymnasium spec file (FILE.toml), or a class of yours (MODULE:CLASS)."""
    rate: float | None = None
    """Multiple of real time of simulated robots that nobody holds, 0 for as fast as possible; empty: 1
    at work, 0 for evaluation and demonstrations."""
    seed: int = 0
    """Which demonstration scenes are run: another seed, other scenes."""
    finish_s: float = 60.0
    """How long a process that has done its work waits for the broker to have everything."""

    def __post_init__(self) -> None:
        if self.robots < 1:
            raise ConfigError("actor.robots must be at least 1", robots=self.robots)
        if self.rate is not None and not self.rate >= 0:
            raise ConfigError("actor.rate must be at least 0", rate=self.rate)
        if not 0 <= self.seed < 1_000:
            raise ConfigError("actor.seed must lie in 0..999", seed=self.seed)
