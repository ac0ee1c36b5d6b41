"""The verdict on study a, in the words that its goal was written in: computed from cells, whoever is ahead.

Where help is plenty and good RECAP must not be worse than HG-DAgger by more than 2 points; elsewhere it must be
better, interval clear of zero. Against its random control it must be better wherever autonomous steps were used;
where none were, the two are one training and are not counted.
"""

import collections
import enum
from collections.abc import Sequence

from study.compare import Comparison, Findings, compare

_OURS, _BASELINE, _CONTROL = "recap", "hg_dagger", "recap_random"
GOOD_HELP = ("plenty", "fast")
_MARGIN = 0.02


class Standing(enum.StrEnum):
    """Where RECAP stands in one comparison; `better` and `worse` are clear of zero."""

    BETTER = "better"
    NOT_WORSE = "not worse by more than 2 points"
    UNDECIDED = "undecided"
    WORSE = "worse"


def standing(comparison: Comparison) -> Standing:
    """By the interval alone."""
    apart = comparison.difference.interval
    if apart.low > 0:
        return Standing.BETTER
    if apart.high < 0:
        return Standing.WORSE
    return Standing.NOT_WORSE if apart.low > -_MARGIN else Standing.UNDECIDED


def is_met(comparison: Comparison) -> bool:
    """Whether the goal of its setting holds."""
    if comparison.theirs == _BASELINE and comparison.setting[:2] == GOOD_HELP:
        return standing(comparison) in (Standing.BETTER, Standing.NOT_WORSE)
    return standing(comparison) is Standing.BETTER


def lines(findings: Findings) -> list[str]:
    """Markdown, a paragraph a task: the answer first, then how often which goal holds."""
    groups: dict[str, list[Comparison]] = collections.defaultdict(list)
    for theirs in (_BASELINE, _CONTROL):
        for comparison in compare(findings, _OURS, theirs):
            groups[comparison.task].append(comparison)
    if not groups:
        return ["**Whether RECAP beats HG-DAgger is not known yet: no cell of study a was published.**"]
    return [line for task, found in groups.items() for line in (_paragraph(task, found), "")][:-1]


def _paragraph(task: str, found: Sequence[Comparison]) -> str:
    baseline = [one for one in found if one.theirs == _BASELINE]
    control = [one for one in found if one.theirs == _CONTROL and not one.is_same_training]
    good = [one for one in baseline if one.setting[:2] == GOOD_HELP]
    other = [one for one in baseline if one.setting[:2] != GOOD_HELP]
    parts = [
        f"against HG-DAgger where help is plenty and good: {_tally(good)}",
        f"where it is scarce or imperfect: {_tally(other)}",
        f"against its random control where autonomous steps were used: {_tally(control)}",
    ]
    seeds = sorted({seed for one in found for seed in one.seeds})
    return f"**{task}: {_answer(good, other)}** {'; '.join(parts)} (seeds {', '.join(map(str, seeds))})."


def _answer(good: Sequence[Comparison], other: Sequence[Comparison]) -> str:
    found = [*good, *other]
    if not found:
        return "RECAP and HG-DAgger have not been compared yet."
    if good and other and all(map(is_met, found)):
        return "RECAP is never worse than HG-DAgger where help is good, and better where it is not."
    num_behind = sum(standing(one) is Standing.WORSE for one in found)
    num_ahead = sum(standing(one) is Standing.BETTER for one in found)
    if num_behind:
        return f"RECAP stays behind HG-DAgger in {num_behind} of {len(found)} settings, and is ahead in {num_ahead}."
    return f"RECAP is ahead of HG-DAgger in {num_ahead} of {len(found)} settings, and behind in none for certain."


def _tally(found: Sequence[Comparison]) -> str:
    if not found:
        return "not measured"
    counts = collections.Counter(standing(one) for one in found)
    said = ", ".join(f"{counts[word]} {word}" for word in Standing if counts[word])
    return f"{said}, goal met in {sum(map(is_met, found))} of {len(found)}"
