"""What is known of a question's arms, from wherever cells are kept."""

from collections.abc import Callable, Iterable

from study.cell import Cell, Finding, Kind
from study.compare import Findings
from study.plan import Arm

HELPED_STEPS = "steps_of_helped_successes"


def findings(arms: Iterable[tuple[Arm, Cell]], finding_of: Callable[[Cell], Finding | None]) -> Findings:
    """Findings of the arms that are computed; of a candidate also how long people took in what it learned from."""
    known = {}
    for arm, cell in arms:
        finding = finding_of(cell)
        if finding is not None:
            known[arm] = {**finding, **_helped(cell, finding_of)}
    return known


def _helped(cell: Cell, finding_of: Callable[[Cell], Finding | None]) -> Finding:
    """Mean steps of the successes with help in its collections."""
    collected = [finding_of(parent) for parent in cell.parents if parent.kind is Kind.COLLECT]
    won = [one for one in collected if one and one.get("num_helped_successes")]
    if not won:
        return {}
    num_steps = sum(one[HELPED_STEPS] * one["num_helped_successes"] for one in won)
    return {HELPED_STEPS: num_steps / sum(one["num_helped_successes"] for one in won)}
