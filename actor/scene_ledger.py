"""Which scenes were run, so that a process that comes back runs each exactly once.

An append-only file per actor process. A line is written after the episode is safe in the spool; one
that was cut short, or an episode that was, counts as not run.
"""

import dataclasses
import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from actor.work import CUT_REASON
from policy.schema import Episode, Outcome

LEDGER_FILE = "scenes.jsonl"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneResult:
    """How one scene went."""

    outcome: str
    num_steps: int

    @property
    def is_success(self) -> bool:
        """Whether it succeeded."""
        return self.outcome == Outcome.SUCCESS


class SceneLedger:
    """Results by series ("3/gate", "demonstration") and scene; any thread may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._results: dict[str, dict[int, SceneResult]] = defaultdict(dict)
        text = path.read_text() if path.exists() else ""
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                fields = json.loads(line)
                result = SceneResult(outcome=fields["outcome"], num_steps=fields["num_steps"])
                self._results[fields["series"]][fields["scene"]] = result
        if text and not text.endswith("\n"):
            path.write_text(text[: text.rfind("\n") + 1])

    def results(self, series: str) -> Mapping[int, SceneResult]:
        """What is known of a series."""
        with self._lock:
            return dict(self._results[series])

    def add(self, series: str, episode: Episode) -> None:
        """Write one episode down, unless it was cut."""
        if episode.outcome_reason == CUT_REASON:
            return
        line = {
            "series": series,
            "scene": episode.scene_seed,
            "outcome": str(episode.outcome),
            "num_steps": episode.num_steps,
        }
        with self._lock:
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")
            self._results[series][episode.scene_seed] = SceneResult(
                outcome=str(episode.outcome), num_steps=episode.num_steps
            )
