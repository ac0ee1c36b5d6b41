"""When and how long the learner trains."""

import dataclasses
import enum

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

    task: str = "plug_insertion"
    """Whose embodiment to learn for: a task's name, as the robots'."""
    spec_file: str = ""
    """The embodiment as a JSON file instead, where the robots' code is not installed."""
    algorithm: str = "recap"
    """recap, hg_dagger, filtered_bc or recap_random."""
    schedule: Schedule = Schedule.ITERATED
    """iterated or continual."""
    base_demonstrations: int = 120
    """Demonstrations to wait for before the base is trained."""
    base_updates: int = 700
    """Updates of the base."""
    base_tries: int = 3
    """Bases to train, each from another seed, before a person has to look why the judge rejects them."""
    round_episodes: int = 250
    """New episodes of robots at work to wait for before a round."""
    round_updates: int = 1000
    """Updates of a round."""
    max_samples_per_step: float = 32.0
    """How often a round draws each step at most, on average: little data gets fewer updates."""
    num_rounds: int = 0
    """Rounds after the base, then the learner idles; 0 for no end."""
    max_version_age: int = 10
    """Episodes of weights that so many newer ones have replaced are not judged any more; what people did in them still
    teaches. 0 for no end."""
    waits_for_judge: bool = True
    """Whether a round begins only after the last candidate was promoted or rejected."""
    replay_steps: int = 100_000
    """Steps kept decoded for training; the oldest episodes give way, but never what experts demonstrated, up to half
    of them."""
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
    num_learners: int = 0
    """Ray RLlib learners that share each batch, on the cluster of ray_address; 0 trains here, without Ray."""
    ray_address: str = ""
    """Where they are: host:port of a Ray cluster's head, or auto for the cluster of this machine's node."""

    def __post_init__(self) -> None:
        for name in (
            "base_demonstrations",
            "base_updates",
            "base_tries",
            "round_episodes",
            "round_updates",
            "save_updates",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1", value=getattr(self, name))
        if self.num_learners < 0 or bool(self.num_learners) != bool(self.ray_address):
            raise ConfigError(
                "learner.num_learners above 0 and learner.ray_address go together",
                num_learners=self.num_learners,
                ray_address=self.ray_address,
            )
        if self.max_version_age < 0:
            raise ConfigError("max_version_age must not be negative", value=self.max_version_age)
        if not self.max_samples_per_step > 0:
            raise ConfigError("max_samples_per_step must be above 0", value=self.max_samples_per_step)

    def num_updates(self, round: int, *, num_steps: int, batch_size: int) -> int:
        """Updates of a round: the base's or a later round's, fewer where the data is little.

        The limit is reverb's `SampleToInsertRatio` (deepmind/reverb). Deviation: robots are never held back.

        Args:
            round: 0 is the base.
            num_steps: that can be drawn.
            batch_size: draws per update.
        """
        wanted = self.round_updates if round else self.base_updates
        return max(1, min(wanted, int(num_steps * self.max_samples_per_step / batch_size)))
