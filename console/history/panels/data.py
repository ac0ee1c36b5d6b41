"""What is it eating, and how old is it?"""

import numpy as np

from console.history.columns import Array
from console.history.episode_table import EVALUATION, SOURCES
from console.history.question import Json, Question, plain
from policy.schema import Source

_NUM_BINS = 48
_CORRECTION = "correction"


def mix(question: Question) -> Json | None:
    """Steps per stretch of the window by source, corrections apart; None without episodes."""
    episodes, fits = question.found.episodes, question.fits
    if not fits.any():
        return None
    since, until = question.window_ns()
    until = max(until, since + _NUM_BINS)
    edges = np.linspace(0, until - since, _NUM_BINS + 1).astype(np.int64) + since
    place = np.clip(np.searchsorted(edges, episodes.ended_ns, side="right") - 1, 0, _NUM_BINS - 1)
    own_steps = episodes.num_steps - episodes.num_correction_steps
    by_source = {}
    for code, source in enumerate(SOURCES):
        own = fits & (episodes.source == code)
        # In a demonstration all steps are a person's; a correction is one only where the policy works.
        steps = episodes.num_steps if source is Source.DEMONSTRATION else own_steps
        by_source[str(source)] = _sums(place[own], steps[own])
    helped = fits & (episodes.source != SOURCES.index(Source.DEMONSTRATION))
    by_source[_CORRECTION] = _sums(place[helped], episodes.num_correction_steps[helped])
    total = np.sum(list(by_source.values()), axis=0)
    return {
        "edges_ns": edges.tolist(),
        "by_source": {name: sums.astype(int).tolist() for name, sums in by_source.items()},
        "steps_per_s": (total / (np.diff(edges) / 1e9)).tolist(),
        "episodes": {
            **{str(source): question.filters.query(source=str(source)) for source in SOURCES},
            _CORRECTION: question.filters.query(assisted=True),
        },
    }


def age(question: Question) -> Json | None:
    """How old the steps are that a learner may draw from; None without any."""
    episodes = question.found.episodes
    own = question.fits & (episodes.source != EVALUATION) & (episodes.num_steps > 0)
    if not own.any():
        return None
    ages = np.maximum(question.now_ns - episodes.ended_ns[own], 0) / 1e9
    order = np.argsort(ages)
    share = np.cumsum(episodes.num_steps[own][order])
    found = {f"p{p}": plain(ages[order][np.searchsorted(share, p / 100 * share[-1])]) for p in (10, 50, 90)}
    return {**found, "n": int(share[-1])}


def conditioning(question: Question) -> list[Json] | None:
    """What each candidate's learner measured of its condition, oldest first; None where none did."""
    names = ("action_gap", "noise_gap", "indicator_gain")
    wanted = question.filters.version
    rows = [
        {
            "version": own.version,
            "time_ns": own.time_ns,
            **{name: own.metrics.get(name) for name in names},
        }
        for own in question.found.ledger.candidates.values()
        if any(name in own.metrics for name in names) and (not wanted or own.version in wanted)
    ]
    return rows or None


def _sums(place: Array, steps: Array) -> Array:
    return np.bincount(place, steps, _NUM_BINS)
