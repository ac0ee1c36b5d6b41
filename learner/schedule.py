"""When and how long the learner trains."""

import dataclasses
import enum

import torch

from policy.errors import ConfigError


class Schedule(enum.StrEnum):
    """Where a round starts from."""

    ITERATED = "iterated"
    """The base, on all data so far (published; in the prototypes .905 against .815)."""
    CONTINUAL = "continual"
    """The last weights."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearnerConfig:
    """When and how long the learner trains."""

    algorithm: str = "recap"
    """recap, hg_dagger, filtered_bc or recap_random."""
    schedule: Schedule = Schedule.ITERATED
    """iterated or continual."""
    base_demonstrations: int = 60
    """Demonstrations to wait for before the base is trained."""
    base_updates: int = 700
    """Updates of the base."""
    round_episodes: int = 256
    """New episodes of robots at work to wait for before a round."""
    round_updates: int = 1200
    """Updates of a round."""
    num_rounds: int = 0
    """Rounds after the base; 0 for no end."""
    waits_for_judge: bool = True
    """Whether a round begins only after the last candidate was promoted or rejected."""
    save_updates: int = 100
    """Updates between saved states: what a kill can cost."""
    poll_s: float = 1.0
    """Pause between looks for new data."""
    seed: int = 0
    """Of everything that is drawn."""
    num_threads: int = 1
    """torch threads; two on a shared CPU were 18 times slower than one."""
    device: str = "auto"
    """cpu, cuda, or auto for a GPU where there is one."""

    def __post_init__(self) -> None:
        for name in ("base_demonstrations", "base_updates", "round_episodes", "round_updates", "save_updates"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1", value=getattr(self, name))

    @property
    def torch_device(self) -> torch.device:
        """The device to train on."""
        wanted = self.device if self.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        return torch.device(wanted)
