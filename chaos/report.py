"""`report.json` for machines and `report.md` for people, from the same figures; small enough to be kept."""

import dataclasses
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chaos.breaker import Broken
from chaos.options import ChaosConfig
from chaos.promises import Journals, Motion
from demo.evidence import percentile
from storage.audit import Audit

REPORT_SCHEMA = 1
_NUM_NAMED = 10
"""Broken promises that are named one by one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """One run."""

    config: ChaosConfig
    fleet: Mapping[str, Any]
    wall_s: float
    """From the first release to the last fault."""
    is_interrupted: bool
    """Whether a person ended it before its time."""
    faults: tuple[Broken, ...]
    balances: Mapping[str, tuple[Journals, Audit]]
    motion: Motion
    releases: Mapping[str, int]
    """candidate, promote and reject: lines of the ledger since the first fault; promote by the judge alone."""

    @property
    def promises(self) -> dict[str, bool]:
        """Each promise, and whether it held."""
        audits = [balance for _, balance in self.balances.values()]
        return {
            "something was recorded": any(own.num_delivered for own, _ in self.balances.values()),
            "0 acknowledged records lost": not any(balance.num_lost for balance in audits),
            "0 records doubled": not any(balance.num_doubled for balance in audits),
            "0 motion after a lost link": self.motion.is_safe,
            "the fleet came back from every fault": all(
                broken.recovered_ns or broken.is_cut_short for broken in self.faults
            ),
            **self._promotion(),
        }

    def _promotion(self) -> dict[str, bool]:
        """Not promised in a run that is too short for it, or was ended by a person."""
        if not self.config.promotions or self.is_interrupted:
            return {}
        return {"the loop still promotes": self.releases["promote"] >= self.config.promotions}

    @property
    def promises_held(self) -> bool:
        """All of them."""
        return all(self.promises.values())

    def recovery(self) -> dict[str, dict[str, float]]:
        """Number, median, 95th percentile and longest time to recover, in s, by kind of fault."""
        by_kind: dict[str, list[float]] = {}
        for broken in self.faults:
            if not broken.is_cut_short:
                by_kind.setdefault(broken.fault.kind, []).append(broken.recovery_s)
        return {
            kind: {
                "num": len(times),
                "p50_s": percentile(times, 0.5),
                "p95_s": percentile(times, 0.95),
                "max_s": max(times),
            }
            for kind, times in sorted(by_kind.items())
        }

    def to_json(self) -> str:
        """Strict JSON: what never came is null."""
        fields = {
            "schema": REPORT_SCHEMA,
            "config": dataclasses.asdict(self.config),
            "fleet": self.fleet,
            "machine": {"cpus": os.cpu_count(), "system": platform.platform()},
            "wall_s": round(self.wall_s, 1),
            "is_interrupted": self.is_interrupted,
            "promises": self.promises,
            "promises_held": self.promises_held,
            "journals": {
                name: {**dataclasses.asdict(own), "delivered": own.num_delivered, **dataclasses.asdict(balance)}
                for name, (own, balance) in self.balances.items()
            },
            "motion": dataclasses.asdict(self.motion),
            "releases": self.releases,
            "recovery": self.recovery(),
            "faults": [_fault(broken) for broken in self.faults],
        }
        return json.dumps(_finite(fields), indent=1, allow_nan=False)

    def to_markdown(self) -> str:
        """The same for people, without the single faults."""
        return "\n\n".join(
            "\n".join(part)
            for part in (
                self._head(),
                self._promise_rows(),
                self._journal_rows(),
                self._recovery_rows(),
                self._broken(),
            )
            if part
        )

    def _head(self) -> list[str]:
        config, motion = self.config, self.motion
        parting = [broken for broken in self.faults if broken.fault.parts_people]
        num_driven = sum(broken.was_driven for broken in parting)
        ended = " A person ended it before its time." if self.is_interrupted else ""
        return [
            f"# Chaos, seed {config.seed}",
            "",
            f"{len(self.faults)} faults in {self.wall_s / 60:.1f} minutes on {config.robots} robots and "
            f"{os.cpu_count()} CPUs: {'every promise held' if self.promises_held else 'A PROMISE WAS BROKEN'}.{ended}",
            "",
            f"People drove {motion.num_corrected:,} steps and robots held still for {motion.num_held:,}; "
            f"{num_driven} of the {len(parting)} faults between people and robots came while somebody drove. "
            f"Meanwhile {self.releases['candidate']} candidates, {self.releases['promote']} promotions by the judge, "
            f"{self.releases['reject']} rejections.",
        ]

    def _promise_rows(self) -> list[str]:
        rows = [f"| {name} | {'held' if held else '**broken**'} |" for name, held in self.promises.items()]
        return ["| promise | |", "|---|---|", *rows]

    def _journal_rows(self) -> list[str]:
        rows = [
            f"| {name} | {own.num_recorded:,} | {own.num_dropped:,} | {own.num_waiting:,} | {own.num_delivered:,} "
            f"| {balance.num_in_lake:,} | {balance.num_lost} | {balance.num_doubled} |"
            for name, (own, balance) in self.balances.items()
        ]
        head = "| robots' journals | recorded | given up | in a spool | acknowledged | in the lake | lost | doubled |"
        return [head, "|---|---|---|---|---|---|---|---|", *rows]

    def _recovery_rows(self) -> list[str]:
        rows = [
            f"| {kind} | {times['num']} | {times['p50_s']:.1f} | {times['p95_s']:.1f} | {times['max_s']:.1f} |"
            for kind, times in self.recovery().items()
        ]
        return ["| seconds to recover | n | p50 | p95 | longest |", "|---|---|---|---|---|", *rows]

    def _broken(self) -> list[str]:
        motion = self.motion
        named = [*motion.moved_while_held, *motion.moved_by_old_command, *motion.moved_while_parted]
        named += [
            f"{broken.fault.in_words}: {broken.missing}"
            for broken in self.faults
            if broken.missing and not broken.is_cut_short
        ]
        more = [f"- and {len(named) - _NUM_NAMED} more"] if len(named) > _NUM_NAMED else []
        return [f"- {words}" for words in named[:_NUM_NAMED]] + more


def write(directory: Path, report: Report) -> None:
    """Write both files."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "report.json").write_text(report.to_json() + "\n")
    (directory / "report.md").write_text(report.to_markdown() + "\n")


def summary(report: Report, directory: Path) -> Sequence[str]:
    """The result in a few lines."""
    lines = [f"{name}: {'held' if held else 'BROKEN'}" for name, held in report.promises.items()]
    lines += report._broken()
    return [*lines, f"{len(report.faults)} faults; {directory / 'report.md'}"]


def _fault(broken: Broken) -> dict[str, Any]:
    fault = broken.fault
    return {
        "way": fault.way,
        "victim": fault.victim,
        "lasts_s": round(fault.lasts_s, 2),
        "was_driven": broken.was_driven,
        "recovery_s": broken.recovery_s,
        "missing": broken.missing,
    }


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
