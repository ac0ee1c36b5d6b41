"""A question's tables as Markdown: the primary comparisons first, then what each arm showed."""

import collections
import math
from collections.abc import Sequence

from policy.statistics import Interval
from study.cell import Finding
from study.compare import SUCCESS, Comparison, Findings, over_seeds, pool, primary, ratio_over_seeds
from study.gather import HELPED_STEPS
from study.plan import Arm, Question

MEASURES = {SUCCESS: "success", "ranking": "ranking", "auc": "AUC"}
"""Measures in words."""
_MINUTES = "minutes_to_target"
_BASE, _ONE_ROBOT = "base", "1 robots"
_CRITIC = ("ranking", "auc", "calibration_error", "bias")

Group = tuple[str, tuple[str, ...], str]
"""(task, setting, arm's name)."""


def lines(question: Question, findings: Findings) -> list[str]:
    """All of a question's tables; those that have nothing to show are left out."""
    tables = (comparisons, successes, against_base, critics, lookahead, minutes, promotions)
    text: list[str] = []
    for table in tables:
        rows = table(question, findings)
        text += ["", *rows] if text and rows else rows
    return text


def comparisons(question: Question, findings: Findings) -> list[str]:
    """What was to be compared, written down before anything ran."""
    rows = [_comparison(one) for one in primary(question, findings)]
    return _table(_about(question, "of", "difference", "[95 %]", "seeds", "by"), rows) or ["No comparison yet."]


def _comparison(one: Comparison) -> list[str]:
    about = [one.task, *one.setting, MEASURES.get(one.measure, one.measure), f"{one.ours} - {one.theirs}"]
    return [*about, interval(one.difference.interval, sign="+"), _numbers(one.seeds), one.difference.method]


def successes(question: Question, findings: Findings) -> list[str]:
    """Success of every arm over held-out scenes without help; Wilson's interval over all episodes."""
    rows = []
    for (task, setting, name), group in grouped(findings, SUCCESS).items():
        pooled = pool(list(group.values()))
        corrected = sum(finding.get("num_correction_steps", 0) for finding in group.values()) / len(group)
        steps = "-" if math.isnan(pooled.steps_of_successes) else f"{pooled.steps_of_successes:.1f}"
        figures = [f"{pooled.throughput_per_robot_hour:,.0f}", steps, f"{corrected:,.0f}"]
        counts = [str(pooled.num_episodes), _numbers(sorted(group))]
        rows.append([task, *setting, name, interval(pooled.success), *counts, *figures])
    head = ("arm", "success [95 %, Wilson]", "n", "seeds", "successes/h", "steps of a success", "corrected steps")
    return _table(_about(question, *head), rows)


def against_base(question: Question, findings: Findings) -> list[str]:
    """Failures and throughput over the base's, by Student on log ratios; a success's steps against those with help."""
    groups = grouped(findings, SUCCESS)
    bases = {task: group for (task, _, name), group in groups.items() if name == _BASE}
    rows = []
    for (task, setting, name), group in groups.items():
        seeds = sorted(group.keys() & bases.get(task, {}).keys())
        if name == _BASE or not seeds:
            continue
        pairs = [(group[seed], bases[task][seed]) for seed in seeds]
        failures = ratio_over_seeds([_failures(ours) / _failures(base) for ours, base in pairs])
        faster = ratio_over_seeds([_throughput(ours) / _throughput(base) for ours, base in pairs])
        people = [ours[HELPED_STEPS] for ours, _ in pairs if HELPED_STEPS in ours]
        own = pool([ours for ours, _ in pairs]).steps_of_successes
        steps = f"{own:.1f} / {sum(people) / len(people):.1f}" if people else "-"
        rows.append([task, *setting, name, interval(failures), interval(faster), steps, _numbers(seeds)])
    return _table(
        _about(question, "arm", "failures / base's", "successes/h / base's", "steps / with help", "seeds"), rows
    )


def critics(question: Question, findings: Findings) -> list[str]:
    """Held-out figures of critics: means over seeds with Student's interval; of one seed the bootstrap."""
    rows = []
    for (task, setting, name), group in grouped(findings, "ranking").items():
        found = list(group.values())
        figures = [_over_seeds(found, measure) for measure in _CRITIC]
        num_episodes = sum(finding["num_rollouts"] for finding in found)
        rows.append([task, *setting, name, *figures, str(num_episodes), _numbers(sorted(group))])
    head = ("critic", "ranking", "AUC", "calibration error", "bias", "n", "seeds")
    return _table(_about(question, *head), rows)


def lookahead(question: Question, findings: Findings) -> list[str]:
    """Rank correlation of N-step advantages and true progress over a chunk; Student's interval over seeds."""
    rows, all_ticks = [], ("4", "8", "16", "0")
    for (task, setting, name), group in grouped(findings, "lookahead").items():
        found = [finding["lookahead"] for finding in group.values()]
        known = [[one[ticks] for one in found if one.get(ticks) is not None] for ticks in all_ticks]
        figures = [interval(over_seeds(values)) if values else "-" for values in known]
        rows.append([task, *setting, name, *figures, _numbers(sorted(group))])
    return _table(_about(question, "critic", "4 ticks", "8 ticks", "16 ticks", "to the end", "seeds"), rows)


def minutes(question: Question, findings: Findings) -> list[str]:
    """Fleet minutes to the target, seed by seed; a history that never got there counts as longer than it ran.

    The ratios' geometric mean is there if all of them are known: without those that never got there it would flatter.
    """
    groups = grouped(findings, _MINUTES)
    rows = []
    for (task, setting, name), group in groups.items():
        one_robot = groups.get((task, setting, _ONE_ROBOT), {})
        taken = [_minutes(group[seed]) for seed in sorted(group)]
        pairs = [(one_robot[seed], group[seed]) for seed in sorted(group) if seed in one_robot]
        ratios = ", ".join(_ratio(*pair) for pair in pairs) or "-"
        is_known = bool(pairs) and all(finding[_MINUTES] is not None for pair in pairs for finding in pair)
        mean = interval(ratio_over_seeds([one[_MINUTES] / ours[_MINUTES] for one, ours in pairs])) if is_known else "-"
        rows.append([task, *setting, name, ", ".join(taken), ratios, mean, _numbers(sorted(group))])
    head = ("arm", "fleet minutes to the target", "one robot's over these", "mean ratio [95 %]", "seeds")
    return _table(_about(question, *head), rows)


def promotions(question: Question, findings: Findings) -> list[str]:
    """What became of candidates while the world changed; `recovered after` is rounds (robot minutes) for each jump."""
    rows = []
    for (task, setting, name), group in grouped(findings, "num_promoted").items():
        for seed, finding in sorted(group.items()):
            below = f"{finding['num_below_start']} ({finding['num_clearly_below_start']} clearly)"
            counts = [str(finding["num_promoted"]), str(finding["num_refused"]), below]
            rates = [f"{finding[key]:.3f}" for key in (SUCCESS, "start_success_rate")]
            recovered = ", ".join(_recovery(one) for one in finding["recoveries"]) or "-"
            rows.append([task, *setting, name, str(seed), *counts, *rates, recovered])
    head = ("promoted", "refused", "rounds below the start", "champion's success", "the start's", "recovered after")
    return _table(_about(question, "arm", "seed", *head), rows)


def grouped(findings: Findings, measure: str) -> dict[Group, dict[int, Finding]]:
    """Findings that have a measure, by task, setting and name, then by seed."""
    groups: dict[Group, dict[int, Finding]] = collections.defaultdict(dict)
    for arm, finding in findings.items():
        if measure in finding:
            groups[key(arm)][arm.seed] = finding
    return dict(groups)


def key(arm: Arm) -> Group:
    """All of an arm but its seed."""
    return arm.task, arm.setting, arm.name


def interval(value: Interval, sign: str = "") -> str:
    """Estimate and bounds, as far as there are any."""
    estimate = f"{value.estimate:{sign}.3f}"
    if math.isnan(value.low):
        return estimate
    return f"{estimate} [{value.low:{sign}.3f}, {value.high:{sign}.3f}]"


def _failures(finding: Finding) -> float:
    """Failure rate, half a failure added, so that none has a ratio too."""
    return float((finding["num_episodes"] - finding["num_successes"] + 0.5) / (finding["num_episodes"] + 1))


def _throughput(finding: Finding) -> float:
    """Successes per hour, half a success added."""
    return float((finding["num_successes"] + 0.5) / finding["robot_hours"])


def _over_seeds(found: Sequence[Finding], measure: str) -> str:
    values = [finding[measure] for finding in found if finding[measure] is not None]
    if not values:
        return "-"
    low, high = (found[0].get(f"{measure}_{side}") for side in ("low", "high"))
    if len(found) > 1 or low is None or high is None:
        return interval(over_seeds(values))
    return interval(Interval(estimate=values[0], low=low, high=high))


def _minutes(finding: Finding) -> str:
    reached = finding[_MINUTES]
    return f"> {finding['curve'][-1]['fleet_minutes']:.1f}" if reached is None else f"{reached:.1f}"


def _ratio(one_robot: Finding, finding: Finding) -> str:
    ours, theirs = finding[_MINUTES], one_robot[_MINUTES]
    if ours is None:
        return "?"
    return f"> {one_robot['curve'][-1]['fleet_minutes'] / ours:.1f}" if theirs is None else f"{theirs / ours:.1f}"


def _recovery(one: Finding) -> str:
    if one["num_rounds"] is None:
        return "never"
    return f"{one['num_rounds']} ({one['robot_minutes']:.0f} min)"


def _about(question: Question, *names: str) -> list[str]:
    return ["task", *question.columns, *names]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)] if rows else []


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _numbers(seeds: Sequence[int]) -> str:
    return ", ".join(str(seed) for seed in seeds)
