import json
from typing import Any

from demo.conclusion import _autonomous_data


class FakeWatch:
    def __init__(self, releases: list[dict[str, Any]]) -> None:
        self.releases = releases


def _candidate(version: str, **metrics: float) -> dict[str, Any]:
    return {
        "event": "candidate",
        "policy_version": version,
        "reason": "round 1 of recap: corrections lead",
        "evidence": json.dumps({"metrics": metrics}),
    }


def _said(*releases: dict[str, Any]) -> str:
    return _autonomous_data(FakeWatch(list(releases)))  # type: ignore[arg-type]


def test_a_base_alone_added_nothing() -> None:
    assert _said(_candidate("1", held_out_loss=0.4)).startswith("Nothing")


def test_what_the_labels_added_is_said_with_the_critics_figures() -> None:
    measured = {"indicator_gain": 0.03, "action_gap": 0.31, "noise_gap": 0.4, "critic_ranking": 0.29, "critic_auc": 0.7}
    text = _said(_candidate("2", **measured))
    assert "v2, round 1 of recap: corrections lead." in text
    assert "0.29 (Spearman)" in text
    assert "+0.030 of flow loss" in text


def test_a_candidate_without_a_negative_condition_has_the_critics_figures_alone() -> None:
    text = _said(_candidate("2", critic_ranking=0.29, critic_auc=0.7))
    assert "v2, round 1 of recap: corrections lead." in text
    assert text.endswith("by 0.70 (AUC).")
