"""The canary's way to everybody: the sequential gate, stage by stage, and back at the first regression.

stage by stage   enough pairs, no regression, soak over         -> more robots
the last step    the sequential test is passed, soak over       -> champion
at any time      worse, in evaluation or at work                -> taken back and rejected, paused or not
"""

import dataclasses
import json
import math

from infra import releases, rollout
from infra.registry import PolicyVersion
from infra.rollout_state import Rollout
from learner.judge_bench import AUTHOR, Bench, EvidenceSource, JudgeConfig
from learner.trial import Pair, gate_attempts, paired, robot_minutes, work_attempts
from learner.verdict import Choice, GateConfig, Verdict, Word, judge_pairs, worse_task
from learner.verdict_record import verdict_record

_PASSED_TAG = "gate_passed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Look:
    """All that one look at a canary found."""

    canary: PolicyVersion
    champion: PolicyVersion
    state: Rollout | None
    since_ns: int
    pairs: list[Pair]
    verdict: Verdict
    regression: str
    passed: str
    """How it passed the sequential test, in words, now or at an earlier look; empty if it did not."""
    num_robot_minutes: float
    """In the present stage."""
    waits_for: list[str]
    """What the next step still lacks."""


class CanaryTrial:
    """Looks at the version on trial and takes it forward or back."""

    def __init__(self, bench: Bench, config: JudgeConfig, gate: GateConfig) -> None:
        self._bench, self._config, self._gate = bench, config, gate
        self._told: tuple[str, int] | None = None

    def step(self, canary: PolicyVersion, *, is_frozen: bool) -> None:
        """One look; while frozen or paused it can only be taken back.

        Raises:
            RegistryUnavailable: try again later.
            ConfigError: a person moved something at the same time; look again.
        """
        champion = self._bench.champion()
        if champion is None:
            if not is_frozen:
                self._bench.promote(canary.version, "the first version")
            return
        look = self._look(canary, champion)
        if look.regression:
            self._tell(look, is_due=True)
            self._take_back(look)
            return
        is_held = is_frozen or (look.state is not None and look.state.is_paused)
        goes_on = not is_held and not look.waits_for
        rejection = "" if is_held or goes_on else self._rejection(look)
        self._tell(look, is_due=goes_on or bool(rejection))
        if goes_on:
            self._go_forward(look)
        elif rejection:
            self._bench.reject(canary.version, rejection, look.verdict.evidence)

    def _look(self, canary: PolicyVersion, champion: PolicyVersion) -> _Look:
        state, since_ns = rollout.under_way(self._bench.registry), self._bench.trial_began_ns(canary)
        pairs = self._pairs(canary, champion, since_ns)
        verdict = judge_pairs(pairs, self._gate)
        passed = self._passed(canary, champion, verdict)
        minutes = robot_minutes(self._bench.index, canary.version, state.stage_since_ns if state else since_ns)
        return _Look(
            canary=canary,
            champion=champion,
            state=state,
            since_ns=since_ns,
            pairs=pairs,
            verdict=verdict,
            regression=verdict.reason
            if verdict.word is Word.WORSE
            else self._worse_at_work(canary, champion, since_ns),
            passed=passed,
            num_robot_minutes=minutes,
            waits_for=waits_for(state, verdict, passed, minutes, self._bench.now_ns()),
        )

    def _pairs(self, canary: PolicyVersion, champion: PolicyVersion, since_ns: int) -> list[Pair]:
        if self._config.evidence is EvidenceSource.WORK:
            return self._work_pairs(canary, champion, since_ns)
        return paired(*(gate_attempts(self._bench.index, v.version) for v in (canary, champion)))

    def _work_pairs(self, canary: PolicyVersion, champion: PolicyVersion, since_ns: int) -> list[Pair]:
        return paired(*(work_attempts(self._bench.index, v.version, since_ns) for v in (canary, champion)))

    def _worse_at_work(self, canary: PolicyVersion, champion: PolicyVersion, since_ns: int) -> str:
        """What the robots that run it show against it, in words, where simulation decides."""
        if self._config.evidence is EvidenceSource.WORK:
            return ""
        pairs = self._work_pairs(canary, champion, since_ns)
        task = worse_task(pairs, self._gate.work_alpha) if len(pairs) >= self._gate.min_pairs else ""
        if not task:
            return ""
        ours, theirs = sum(p.ours.is_success for p in pairs), sum(p.theirs.is_success for p in pairs)
        return (
            f"at work worse than the champion in {task} "
            f"({ours} against {theirs} successes without help in {len(pairs)} episodes each)"
        )

    def _passed(self, canary: PolicyVersion, champion: PolicyVersion, verdict: Verdict) -> str:
        """The test may stop whenever it is convincing, so having passed counts even if the soak takes longer."""
        known: dict[str, str] = json.loads(canary.tags.get(_PASSED_TAG, "{}"))
        if champion.version not in known and verdict.choice is Choice.PROMOTE:
            known = {champion.version: verdict.reason}
            self._bench.registry.set_tag(canary.version, _PASSED_TAG, json.dumps(known))
        return known.get(champion.version, "")

    def _rejection(self, look: _Look) -> str:
        """Why waiting any longer is of no use; empty where it is."""
        if look.verdict.choice is Choice.REJECT and not look.passed:
            return look.verdict.reason
        now_ns = self._bench.now_ns()
        if look.state is None:
            is_late = (now_ns - look.since_ns) / 1e9 > self._config.max_trial_s
        else:
            is_late = look.state.elapsed_s(now_ns) > look.state.min_soak_s + self._config.max_trial_s
        return f"undecided in time, waiting for {'; '.join(look.waits_for)}" if is_late else ""

    def _go_forward(self, look: _Look) -> None:
        version, state, evidence = look.canary.version, look.state, look.verdict.evidence
        if state is None:
            self._bench.promote(version, look.passed, evidence)
            return
        reason = look.passed if state.leads_to_all else f"soak over, no regression; {look.verdict.reason}"
        done = rollout.next_stage(
            self._bench.registry,
            self._bench.ledger,
            author=AUTHOR,
            reason=reason,
            evidence=evidence,
            from_stage=state.stage,
            now_ns=self._bench.now_ns(),
        )
        self._bench.note(done.event, version, reason)

    def _take_back(self, look: _Look) -> None:
        version, evidence = look.canary.version, look.verdict.evidence
        if look.state is None:
            self._bench.reject(version, look.regression, evidence)
            return
        rollout.abort(
            self._bench.registry, self._bench.ledger, author=AUTHOR, reason=look.regression, evidence=evidence
        )
        self._bench.note("rollout_abort", version, look.regression)

    def _tell(self, look: _Look, *, is_due: bool) -> None:
        """Leave the verdict where the console reads it: at every decision, else now and then."""
        now_ns, version = self._bench.now_ns(), look.canary.version
        is_new = self._told is None or self._told[0] != version
        if not (is_due or is_new or (self._told and now_ns - self._told[1] >= self._config.tell_s * 1e9)):
            return
        record = {
            **verdict_record(look.pairs, self._gate),
            **({"word": Word.WORSE, "reason": look.regression} if look.regression else {}),
            "version": version,
            "champion": look.champion.version,
            "at_ns": now_ns,
            "source": self._config.evidence,
            "waits_for": look.waits_for,
            "num_robot_minutes": look.num_robot_minutes,
        }
        self._bench.registry.set_tag(version, releases.VERDICT_TAG, json.dumps(record))
        self._told = (version, now_ns)


def waits_for(state: Rollout | None, verdict: Verdict, passed: str, num_robot_minutes: float, now_ns: int) -> list[str]:
    """What the next step of a canary lacks, in words; nothing where it may be taken.

    Args:
        state: its rollout; None for a canary that a person started without one.
        verdict: of this moment.
        passed: how it passed the sequential test; empty if it did not.
        num_robot_minutes: robot time of the present stage.
        now_ns: wall time.
    """
    lacks = []
    if state is not None:
        left_s = state.min_soak_s - state.elapsed_s(now_ns)
        left_minutes = state.min_robot_minutes - num_robot_minutes
        if left_s > 0:
            lacks.append(f"{math.ceil(left_s)} s more soak")
        if state.robots and left_minutes > 0:
            lacks.append(f"{max(0.1, left_minutes):.1f} more robot-minutes")
    if verdict.held_by:
        lacks.append(verdict.held_by)
    elif not passed and (state is None or state.leads_to_all):
        lacks.append(f"the sequential test: {verdict.reason}")
    return lacks
