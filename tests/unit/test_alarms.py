import math
from typing import Any

from demo.alarms import Alarms, alarms


def _episode(episode_id: str, outcome: str, *, started_ns: int = 100, source: str = "rollout") -> dict[str, Any]:
    return {"episode_id": episode_id, "outcome": outcome, "started_ns": started_ns, "source": source}


def _request(episode_id: str, time_ns: int, trigger: str = "value_drop") -> dict[str, Any]:
    return {"episode_id": episode_id, "time_ns": time_ns, "trigger": trigger}


def _help(episode_id: str, started_ns: int) -> dict[str, Any]:
    return {"episode_id": episode_id, "started_ns": started_ns}


def test_requests_against_what_became_of_their_episodes() -> None:
    requests = [
        _request("failed", 50),
        _request("helped later", 120),
        _request("helped before", 130),
        _request("went well", 140),
        _request("still runs", 150),
        _request("stuck", 150, "no_progress"),
    ]
    episodes = [
        _episode("failed", "failure", started_ns=40),
        _episode("helped later", "success"),
        _episode("helped before", "success"),
        _episode("went well", "success"),
        _episode("stuck", "timed_out"),
        _episode("unseen", "failure"),
        _episode("unseen but helped", "failure"),
        _episode("before it could ask", "failure", started_ns=49),
        _episode("on trial", "failure", source="evaluation"),
        _episode("fine", "success"),
    ]
    helps = [_help("helped later", 121), _help("helped before", 110), _help("unseen but helped", 130)]
    found = alarms(requests, episodes, helps)
    assert found == Alarms(raised=4, right=2, false_alarms=2, missed=2)
    assert (found.precision, found.recall) == (0.5, 0.5)


def test_a_critic_that_never_asked() -> None:
    found = alarms([_request("a", 1, "spread")], [_episode("a", "failure")], [])
    assert found == Alarms(raised=0, right=0, false_alarms=0, missed=0)
    assert math.isnan(found.precision)
    assert "No request for a fallen value" in found.in_words
