"""SamplesPerStep: how often each recorded step may be drawn, so that a fast learner does not overfit.

The idea is reverb's `SampleToInsertRatio` (deepmind/reverb, `rate_limiters.py`). Deviation: robots are
never held back, so only the sampling side waits; a learner that is too slow simply draws fewer
samples per step.
"""

import dataclasses

from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class LimiterConfig:
    """How much a learner may draw."""

    samples_per_step: float = 32.0
    """Draws allowed per recorded step, on average over the learner's life."""
    min_steps: int = 1_000
    """Nothing is drawn before this many steps are there."""
    ahead_samples: int = 100_000
    """Draws allowed beyond the ratio, so that the learner need not stop at every batch."""


class SamplesPerStep:
    """Counts steps that came and samples that were drawn."""

    def __init__(self, config: LimiterConfig, batch_size: int) -> None:
        """Check that sampling can go on.

        Args:
            config: the ratio.
            batch_size: samples that one update draws.

        Raises:
            ConfigError: settings under which a learner would wait for ever.
        """
        if not config.samples_per_step > 0:
            raise ConfigError(
                "limiter.samples_per_step must be above 0, or nothing is ever drawn",
                samples_per_step=config.samples_per_step,
            )
        if config.min_steps < 1:
            raise ConfigError("limiter.min_steps must be at least 1", min_steps=config.min_steps)
        if batch_size < 1:
            raise ConfigError("a batch needs at least 1 sample", batch_size=batch_size)
        first = config.min_steps * config.samples_per_step + config.ahead_samples
        if first < batch_size:
            raise ConfigError(
                "no batch could be drawn when limiter.min_steps are there: raise limiter.ahead_samples or "
                "limiter.samples_per_step, or draw smaller batches",
                batch_size=batch_size,
                allowed=first,
            )
        self._config = config
        self._batch_size = batch_size
        self.num_steps = 0
        """Steps that have come."""
        self.num_samples = 0
        """Samples drawn."""

    @property
    def num_allowed(self) -> int:
        """Samples that may be drawn now."""
        if self.num_steps < self._config.min_steps:
            return 0
        allowance = self.num_steps * self._config.samples_per_step + self._config.ahead_samples
        return max(0, int(allowance) - self.num_samples)

    @property
    def may_sample(self) -> bool:
        """Whether a whole batch may be drawn now."""
        return self.num_allowed >= self._batch_size

    @property
    def samples_per_step(self) -> float:
        """What the ratio has been so far."""
        return self.num_samples / max(1, self.num_steps)

    def add_steps(self, num_steps: int) -> None:
        """Steps have come."""
        self.num_steps += num_steps

    def add_samples(self, num_samples: int) -> None:
        """Samples were drawn."""
        self.num_samples += num_samples
