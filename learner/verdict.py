"""The sequential gate's rule: promote, reject or wait, from pairs alone; pure, with its reason in words."""

import dataclasses
import enum
from collections.abc import Mapping, Sequence

from learner.sequential import is_convincing, log_e_value
from learner.trial import Pair, by_task, summary
from policy.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class GateConfig:
    """How much evidence a decision takes."""

    alpha: float = 0.1
    """Chance that a candidate which is no better is promoted, however often one looks."""
    min_pairs: int = 16
    """Scenes that both must have run before anything is decided."""
    max_pairs: int = 200
    """The cap: a candidate without enough evidence by then is rejected, and the champion stays."""
    success_margin: float = 0.05
    """How much less success a quicker candidate may have at most, to win by throughput."""
    regression_margin: float = 0.1
    """A candidate whose success in one task lies this far below the champion's is not promoted."""
    work_alpha: float = 0.01
    """Chance that a canary which does no worse at work is taken back for its work, where evaluation decides."""

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 1 and 0 < self.work_alpha < 1 and 0 <= self.success_margin < 1):
            raise ConfigError("alpha, work_alpha and success_margin must lie between 0 and 1")
        if not 1 <= self.min_pairs <= self.max_pairs:
            raise ConfigError("need 1 <= min_pairs <= max_pairs", min_pairs=self.min_pairs, max_pairs=self.max_pairs)


class Choice(enum.StrEnum):
    """What to do with the canary."""

    PROMOTE = "promote"
    REJECT = "reject"
    WAIT = "wait"


class Word(enum.StrEnum):
    """What the evidence says so far, for people."""

    BETTER = "better"
    NOT_WORSE = "not_worse"
    """Success not lower by more than the margin, tested."""
    NOT_ENOUGH_YET = "not_enough_yet"
    WORSE = "worse"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """A choice, why, and the numbers."""

    choice: Choice
    word: Word
    reason: str
    held_by: str
    """What speaks against more robots, in words: too few scenes, or a regression; empty where nothing does."""
    evidence: Mapping[str, object]


def judge_pairs(pairs: Sequence[Pair], config: GateConfig) -> Verdict:
    """Decide on a canary.

    It wins by success (better on scenes where the two differ), or by throughput (not worse by more than
    the margin, and quicker where both succeed). The two ways share alpha.
    """
    pairs = pairs[: config.max_pairs]
    evidence = {"tasks": summary(pairs), **_e_values(pairs, config)}

    def verdict(choice: Choice, word: Word, reason: str, held_by: str = "") -> Verdict:
        counted = f"{reason} ({_counts(pairs)})"
        return Verdict(choice=choice, word=word, reason=counted, held_by=held_by, evidence=evidence)

    if len(pairs) < config.min_pairs:
        few = f"{len(pairs)} of at least {config.min_pairs} paired scenes"
        return verdict(Choice.WAIT, Word.NOT_ENOUGH_YET, few, few)
    worse = worse_task(pairs, config.alpha)
    if worse:
        reason = f"worse than the champion in {worse}"
        return verdict(Choice.REJECT, Word.WORSE, reason, reason)
    regressed = _regressed_tasks(pairs, config)
    held_by = f"a regression in {', '.join(regressed)}" if regressed else ""
    word, winning = _word(pairs, config, bool(regressed)), _winning(pairs, config)
    if winning and not regressed:
        return verdict(Choice.PROMOTE, word, winning)
    if len(pairs) >= config.max_pairs:
        held = f", held back by {held_by}" if held_by else ""
        return verdict(Choice.REJECT, word, f"no convincing evidence within {config.max_pairs} scenes{held}", held_by)
    return verdict(Choice.WAIT, word, "the evidence is not convincing yet", held_by)


def worse_task(pairs: Sequence[Pair], alpha: float) -> str:
    """A task in which the candidate is worse, beyond a chance of alpha over all tasks; empty where there is none."""
    groups = by_task(pairs)
    for task, own in groups.items():
        if is_convincing(log_e_value([-pair.difference for pair in own]), alpha / len(groups)):
            return task
    return ""


def _word(pairs: Sequence[Pair], config: GateConfig, is_regressed: bool) -> Word:
    differences = [pair.difference for pair in pairs]
    if is_regressed:
        return Word.NOT_ENOUGH_YET
    if is_convincing(log_e_value(differences), config.alpha / 2):
        return Word.BETTER
    if is_convincing(log_e_value(differences, config.success_margin), config.alpha / 2):
        return Word.NOT_WORSE
    return Word.NOT_ENOUGH_YET


def _winning(pairs: Sequence[Pair], config: GateConfig) -> str:
    """How it wins, in words; empty where it does not."""
    differences = [pair.difference for pair in pairs]
    if is_convincing(log_e_value(differences), config.alpha / 2):
        return "more success than the champion"
    not_worse = is_convincing(log_e_value(differences, config.success_margin), config.alpha / 2)
    if not_worse and is_convincing(log_e_value([pair.speed for pair in pairs]), config.alpha / 2):
        return f"quicker than the champion, at success not lower by more than {config.success_margin:.0%}"
    return ""


def _regressed_tasks(pairs: Sequence[Pair], config: GateConfig) -> list[str]:
    return [
        task
        for task, own in by_task(pairs).items()
        if sum(pair.difference for pair in own) < -config.regression_margin * len(own)
    ]


def _e_values(pairs: Sequence[Pair], config: GateConfig) -> dict[str, float]:
    differences = [pair.difference for pair in pairs]
    return {
        "log_e_better": log_e_value(differences),
        "log_e_worse": log_e_value([-difference for difference in differences]),
        "log_e_not_worse": log_e_value(differences, config.success_margin),
        "log_e_quicker": log_e_value([pair.speed for pair in pairs]),
    }


def _counts(pairs: Sequence[Pair]) -> str:
    ours = sum(pair.ours.is_success for pair in pairs)
    theirs = sum(pair.theirs.is_success for pair in pairs)
    only_ours = sum(pair.difference > 0 for pair in pairs)
    only_theirs = sum(pair.difference < 0 for pair in pairs)
    quicker, slower = sum(pair.speed > 0 for pair in pairs), sum(pair.speed < 0 for pair in pairs)
    return (
        f"{ours} against {theirs} successes on {len(pairs)} paired scenes, {only_ours} won and {only_theirs} lost; "
        f"where both succeeded {quicker} quicker, {slower} slower"
    )
