"""What the live critic's requests for help were worth in one run, from the lake's rows alone.

The demo's scripted people see the simulator's truth and do not look at these requests, so what they do afterwards
says whether a person would have been right to come.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from policy.schema import Outcome, Source

Row = Mapping[str, Any]
TRIGGER = "value_drop"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Alarms:
    """Requests of one trigger against what became of their episodes."""

    raised: int
    """Requests in ended episodes."""
    right: int
    """The episode failed, or a person took the robot over afterwards."""
    false_alarms: int
    """It ended well without that."""
    missed: int
    """Episodes that failed without request and without help, of those begun after the first request: from then on
    the critic asks, but for the first successes after each new critic, which count here all the same."""

    @property
    def precision(self) -> float:
        """Share of requests that were right; NaN where there is none."""
        return self.right / self.raised if self.raised else math.nan

    @property
    def recall(self) -> float:
        """Share of those in need that asked; NaN where there is none."""
        return self.right / (self.right + self.missed) if self.right + self.missed else math.nan

    @property
    def in_words(self) -> str:
        """One sentence."""
        if not self.raised:
            return (
                "No request for a fallen value was raised: the live critic did not run (--has-critic true), passed its "
                "bar too late, or saw no value fall."
            )
        recall = "not known" if math.isnan(self.recall) else f"{self.recall:.0%}"
        return (
            f"The live critic raised {self.raised} requests for a fallen value: {self.right} right (the episode "
            f"failed, or somebody took over afterwards), {self.false_alarms} false alarms, {self.missed} failures "
            f"missed; precision {self.precision:.0%}, recall {recall}."
        )


def alarms(requests: Iterable[Row], episodes: Iterable[Row], interventions: Iterable[Row]) -> Alarms:
    """Count; `episodes` with the outcome that counts."""
    asked_ns: dict[str, int] = {}
    for row in requests:
        if row["trigger"] == TRIGGER:
            asked_ns[row["episode_id"]] = min(row["time_ns"], asked_ns.get(row["episode_id"], row["time_ns"]))
    helped_ns: dict[str, int] = {}
    """When a person took over last."""
    for row in interventions:
        helped_ns[row["episode_id"]] = max(row["started_ns"], helped_ns.get(row["episode_id"], 0))
    num_right = num_false = num_missed = 0
    first_ns = min(asked_ns.values(), default=math.inf)
    for row in episodes:
        episode_id, is_success = row["episode_id"], row["outcome"] == Outcome.SUCCESS
        if row["source"] != Source.ROLLOUT or row["outcome"] == Outcome.UNLABELLED:
            continue
        if episode_id in asked_ns:
            is_right = not is_success or helped_ns.get(episode_id, 0) >= asked_ns[episode_id]
            num_right, num_false = num_right + is_right, num_false + (not is_right)
        elif not is_success and episode_id not in helped_ns and row["started_ns"] >= first_ns:
            num_missed += 1
    return Alarms(raised=num_right + num_false, right=num_right, false_alarms=num_false, missed=num_missed)
