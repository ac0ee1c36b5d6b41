"""Every route over a small Delta lake whose figures are known by hand (tests/history_rig.py)."""

import dataclasses
import io
import json
import shutil
import string
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

from console.history.history import History, HistoryConfig
from console.history.reader import EpisodeReader
from console.people.roles import Role
from infra import scrape
from infra.home import Home
from infra.service import Service
from infra.topics import EPISODES, INTERVENTIONS, LABELS, STEPS, VALUES
from policy.statistics import difference_interval, wilson_interval
from storage.erasure import carry_out
from storage.maintenance import MaintenanceConfig, maintain
from storage.removals import ERASED, Kind, Removals, hash_of
from storage.tables import Lake
from tests.history_rig import Pages, S, fill, make_intervention, make_values, pages
from tests.lake_rig import Filler, make_episode, make_label, make_run, make_step

Json = dict[str, Any]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return pages(tmp_path_factory.mktemp("console"))


@pytest.fixture(scope="module")
def panels(filled: Pages) -> Json:
    answer: Json = filled.get("/api/learning", window_s=0)
    return answer


def by(rows: list[Json], **wanted: Any) -> Json:
    """The one row that has these values."""
    (row,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return row


def ids(answer: Json) -> list[str]:
    return [row["episode_id"].removeprefix("b0/") for row in answer["episodes"]]


# --- the learning screen -------------------------------------------------------------------------


def test_success_per_version_and_task_counts_labelled_attempts_alone_and_with_help_apart(panels: Json) -> None:
    rows = panels["success"]
    assert [(r["version"], r["task"], r["assisted"], r["successes"], r["n"]) for r in rows] == [
        ("1", "toy", False, 1, 3),
        ("1", "toy", True, 1, 1),
        ("2", "pour", False, 0, 1),
        ("2", "toy", False, 2, 2),
    ]
    interval = wilson_interval(1, 3)
    assert (rows[0]["low"], rows[0]["high"]) == (interval.low, interval.high)
    assert [row["role"] for row in rows] == ["previous", "previous", "champion", "champion"]
    # Two successes in three episodes of two seconds of robot time, the unlabelled one included.
    assert rows[3]["throughput_per_robot_hour"] == pytest.approx(2 / (6 / 3600))


def test_headline_figures(panels: Json) -> None:
    headline = panels["headline"]
    assert (headline["success"]["successes"], headline["success"]["n"]) == (3, 6)
    assert (headline["autonomy"]["successes"], headline["autonomy"]["n"]) == (2, 5)
    assert headline["throughput_per_robot_hour"]["value"] == pytest.approx(3 / (12 / 3600))
    assert headline["interventions_per_hour"]["value"] == pytest.approx(1 / (12 / 3600))
    assert headline["return_on_human_effort"] == {"value": pytest.approx(60), "trend": None, "human_minutes": 0.05}
    # From letting go (2197 s) to the first episode of version 2 (3990 s).
    assert headline["correction_to_fleet_s"] == {"p50": 1793.0, "p95": 1793.0, "n": 1}


def test_interventions_are_requested_where_a_request_stood_open(panels: Json) -> None:
    row = by(panels["interventions"], version="1")
    assert (row["num"], row["requested"], row["operator_initiated"]) == (1, 1, 0)
    assert row["share"] == pytest.approx(10 / 120)
    assert row["per_hour"] == pytest.approx(1 / (6 / 3600))


def test_an_intervention_that_nobody_asked_for_is_the_operators(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    filler = fill(lake)
    filler.put(INTERVENTIONS, [make_intervention(1, "b0/e2", 2095, 2096)])
    filler.put(INTERVENTIONS, [make_intervention(2, "b0/e4", 3997, 3998)])  # its request had resolved itself
    history = History(lake)
    history.refresh()
    rows = Pages(history, lake, Home(tmp_path / "home"), now_s=5000).get("/api/learning", window_s=0)["interventions"]
    assert [(row["requested"], row["operator_initiated"]) for row in rows] == [(1, 1), (0, 1)]


def test_human_effort_is_cumulative(panels: Json) -> None:
    effort = panels["human_effort"]
    assert (effort["successes"][-1], effort["human_minutes"][-1], effort["ratio"][-1]) == (3, 0.05, pytest.approx(60))
    assert effort["ratio"][0] is None
    assert effort["successes"] == sorted(effort["successes"])


def test_waterfall_has_the_stages_that_the_data_has(panels: Json) -> None:
    stages = {row["stage"]: row for row in panels["waterfall"]}
    assert stages["robot"]["p50_s"] == 3.0
    assert stages["adopted"]["p50_s"] == 990.0
    assert stages["total"]["p95_s"] == 1793.0
    assert stages["delta"]["n"] == 1
    assert stages["delta"]["p50_s"] > 0
    # Drawn at 2500 s, which the lake's clock says is before it was committed; published at 3000 s.
    assert (stages["sampled"]["n"], stages["sampled"]["p50_s"]) == (1, 0.0)
    assert stages["published"]["p50_s"] == 500.0


def test_only_the_newest_critic_judges_an_episode(panels: Json) -> None:
    (row,) = panels["calibration"]
    assert (row["critic_version"], row["n"]) == ("c2", 120)
    assert [(round(b["predicted"], 3), round(b["realised"], 3), b["n"]) for b in row["bins"]] == [
        (-0.95, -1.0, 40),
        (-0.35, -0.325, 80),
    ]
    assert row["error"] == pytest.approx((0.05 * 40 + 0.025 * 80) / 120, abs=1e-6)


def test_value_over_time_sees_failure(panels: Json) -> None:
    success, failure = (by(panels["value_over_time"], outcome=name) for name in ("success", "failure"))
    assert (success["n"], failure["n"]) == (2, 1)
    assert success["median"] == pytest.approx([-0.35] * 21)
    assert failure["low"] == pytest.approx([-0.95] * 21)
    assert panels["value_gap_at_half"] == pytest.approx(0.6)


def test_advantages_by_source_with_threshold_and_positive_share(panels: Json) -> None:
    found = panels["advantage"]
    assert found["n"] == {"demonstration": 0, "rollout": 110, "correction": 10}
    assert {kind: sum(counts) for kind, counts in found["counts"].items()} == found["n"]
    assert found["share_positive"]["rollout"] == pytest.approx(70 / 110)
    assert found["share_positive"]["correction"] == 1.0
    assert found["share_positive"]["demonstration"] is None
    assert found["threshold"] == pytest.approx(0.105)
    assert len(found["edges"]) == len(found["counts"]["rollout"]) + 1 <= 41
    lowest = next(i for i, count in enumerate(found["counts"]["rollout"]) if count)
    assert found["edges"][lowest] <= -0.205 < found["edges"][lowest + 1]


def test_conditioning_mix_and_age(panels: Json) -> None:
    assert [row["version"] for row in panels["conditioning"]] == ["1", "2"]
    assert panels["conditioning"][0]["action_gap"] == 0.5
    sums = {name: sum(steps) for name, steps in panels["mix"]["by_source"].items()}
    assert sums == {
        "demonstration": 20, "rollout": 230, "evaluation": 80, "simulated_expert": 0, "correction": 10,
    }  # fmt: skip
    # Of 260 steps to learn from the youngest ended 700 s ago, the oldest 20 4000 s ago.
    assert panels["age_s"] == {"p10": 700.0, "p50": 2800.0, "p90": 3000.0, "n": 260}


def test_staleness_grid_and_regression(panels: Json) -> None:
    assert [(row["robot_id"], row["version"], row["last_swap_ns"] // S) for row in panels["staleness"]] == [
        ("r0", "2", 3990),
        ("r1", "2", 4190),
    ]
    assert {row["versions_behind"] for row in panels["staleness"]} == {0}
    assert (panels["grid"]["robots"], panels["grid"]["tasks"]) == (["r0", "r1"], ["pour", "toy"])
    cell = by(panels["grid"]["cells"], robot_id="r0", task="toy")
    assert (cell["successes"], cell["n"]) == (2, 3)
    row = by(panels["regression"], task="toy")
    interval = difference_interval(2, 2, 1, 3)
    assert (row["version"], row["base_version"]) == ("2", "1")
    assert (row["difference"], row["low"], row["high"]) == (interval.estimate, interval.low, interval.high)
    assert len(panels["regression"]) == 1  # version 1 never poured


def test_help_quality(panels: Json) -> None:
    found = panels["help"]
    assert (found["num_requests"], found["false_alarms"], found["missed_failures"]) == (3, 1, 1)
    assert found["lead_time_s_p50"] == 5.0
    assert (found["time_to_claim_s_p50"], found["time_to_resolve_s_p50"]) == (1.0, 5.0)
    assert found["self_resolved_share"] == pytest.approx(1 / 3)
    assert by(found["by_trigger"], trigger="no_progress") == {"trigger": "no_progress", "n": 2, "false_alarms": 1}


def test_the_gallery_shows_the_newest_first(panels: Json) -> None:
    assert [row["episode_id"] for row in panels["gallery"]["failures"]] == ["b0/e7", "b0/e2"]
    assert [row["episode_id"] for row in panels["gallery"]["corrections"]] == ["b0/e3"]


def test_what_services_do_not_say_is_named_and_not_invented(panels: Json) -> None:
    assert panels["lag"] is None
    assert panels["unavailable"]["lag"]
    assert panels["learner"]["num_steps"] is None
    assert panels["learner"]["newest"]["version"] == "2"


def test_every_link_of_a_panel_finds_its_episodes(filled: Pages, panels: Json) -> None:
    def found(query: str) -> set[str]:
        return set(ids(filled.ask("GET", f"/api/episodes?{query}").json()))

    assert found(by(panels["success"], version="1", assisted=False)["episodes"]) == {"e1", "e2", "e6"}
    assert found(panels["interventions"][0]["episodes"]) == {"e3"}
    assert found(panels["help"]["false_alarm_episodes"]) == {"e4"}
    assert found(panels["help"]["missed_episodes"]) == {"e2"}
    assert found(panels["help"]["episodes"]) == {"e3", "e4", "e7"}
    assert found(panels["calibration"][0]["episodes"]) == {"e1", "e2", "e3"}
    assert found(panels["mix"]["episodes"]["demonstration"]) == {"e0"}
    assert found(panels["regression"][0]["base_episodes"]) == {"e1", "e2", "e6"}


def test_a_window_and_filters_narrow_every_panel(filled: Pages) -> None:
    answer = filled.get("/api/learning", window_s=1000, task="toy")
    assert {(row["version"], row["n"]) for row in answer["success"]} == {("1", 1), ("2", 2)}
    assert answer["window"] == {"since_ns": 4000 * S, "until_ns": 5000 * S}
    assert answer["waterfall"] is None
    assert answer["unavailable"]["waterfall"]


# --- lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["e8", "e7", "e6", "e5", "e4", "e3", "e2", "e1", "e0"]),
        ({"task": "pour"}, ["e7"]),
        ({"task": "nowhere"}, []),
        ({"version": "1,2", "source": "evaluation"}, ["e6", "e5"]),
        ({"version": ["1", "2"], "outcome": "success", "source": "rollout"}, ["e4", "e3", "e1"]),
        ({"robot": "r1"}, ["e8", "e7", "e3"]),
        ({"operator": "ann"}, ["e3"]),
        ({"operator": "bob"}, []),
        ({"assisted": "true"}, ["e3"]),
        ({"flagged": "true"}, ["e2"]),
        ({"label": "unlabelled"}, ["e8"]),
        ({"label": "relabelled"}, []),
        ({"since_ns": 4150 * S, "until_ns": 4300 * S}, ["e7", "e6"]),
        ({"trained": "2"}, ["e3", "e2", "e1", "e0"]),
        ({"trained": "1"}, ["e0"]),
        ({"trained": "9"}, []),
        ({"requested": "true", "assisted": "false"}, ["e7", "e4"]),
    ],
)
def test_filters(filled: Pages, query: Json, expected: list[str]) -> None:
    answer = filled.get("/api/episodes", **query)
    assert ids(answer) == expected
    assert answer["total"] == len(expected)


def test_pages_cover_everything_once_in_order(filled: Pages) -> None:
    pieces = [filled.get("/api/episodes", limit=4, offset=offset) for offset in (0, 4, 8, 12)]
    assert [name for piece in pieces for name in ids(piece)] == [f"e{number}" for number in range(8, -1, -1)]
    assert {piece["total"] for piece in pieces} == {9}
    assert {piece["num_unlabelled"] for piece in pieces} == {1}
    assert ids(filled.get("/api/episodes", sort="num_steps", limit=1)) == ["e0"]
    assert ids(filled.get("/api/episodes", sort="-num_correction_steps", limit=1)) == ["e3"]
    assert pieces[0]["facets"] == {
        "tasks": ["pour", "toy"], "versions": ["1", "2"], "robots": ["r0", "r1"], "operators": ["ann"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/api/episodes", {"limit": "900"}, "limit must be a whole number from 1 to 200"),
        ("/api/episodes", {"limit": "0"}, "limit"),
        ("/api/episodes", {"offset": "-1"}, "offset"),
        ("/api/episodes", {"offset": "9" * 40}, "offset"),
        ("/api/episodes", {"sort": "name"}, "sort must be one of ended_ns"),
        ("/api/episodes", {"outcome": "won"}, "outcome must be one of success"),
        ("/api/episodes", {"assisted": "yes"}, "assisted must be one of true, false"),
        ("/api/episodes", {"assisted": ["true", "false"]}, "give it once"),
        ("/api/episodes", {"label": "odd"}, "label must be one of"),
        ("/api/episodes", {"since_ns": "5", "until_ns": "4"}, "since_ns must not lie after until_ns"),
        ("/api/episodes", {"task": ",".join(f"t{n}" for n in range(65))}, "at most 64 values"),
        ("/api/episodes", {"colour": "red"}, "this address takes"),
        ("/api/learning", {"window_s": "soon"}, "window_s must be a whole number"),
        ("/api/series", {"name": "weather"}, "name must be one of success_moving"),
        ("/api/series", {"name": "steps_per_s", "buckets": "2001"}, "buckets must be a whole number from 1 to 2000"),
        ("/api/series", {"name": "steps_per_s", "first_ns": "2", "last_ns": "1"}, "first_ns"),
        ("/api/episodes/b0/e3/series", {}, "channels names 1 to 64 channels"),
        ("/api/episodes/b0/e3/series", {"channels": "mood"}, "channels are state.N"),
        ("/api/episodes/b0/e3/series", {"channels": "value", "first": "9", "last": "8"}, "last must not lie before"),
        ("/api/episodes/b0/e3/thumb", {"which": "middle"}, "which must be one of first, last"),
        ("/api/episodes/b0/e3/ending", {"fps": "0"}, "fps must be a whole number from 1 to 10"),
        ("/api/fleet", {"robot": "r1"}, "no parameters"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(filled: Pages, path: str, query: Json, words: str) -> None:
    assert words in filled.refused(path, 400, **query)


def test_unknown_things_are_404(filled: Pages) -> None:
    assert "'b0/e99'" in filled.refused("/api/episodes/b0/e99", 404)
    assert "there are ['scene', 'wrist']" in filled.refused("/api/episodes/b0/e1/frames/front/0", 404)
    assert "steps 0 to 39" in filled.refused("/api/episodes/b0/e1/frames/scene/40", 404)
    assert "'r9'" in filled.refused("/api/fleet/robots/r9", 404)


# --- one episode ---------------------------------------------------------------------------------


def test_one_episode_in_full(filled: Pages) -> None:
    found = filled.get("/api/episodes/b0/e3")
    assert found["episode"]["bands"] == [["autonomous", 0, 19], ["correcting", 20, 29], ["autonomous", 30, 39]]
    assert (found["episode"]["duration_s"], found["episode"]["operators"]) == (2.0, ["ann"])
    assert found["episode"]["values"] == pytest.approx([-0.35] * 32)
    (span,) = found["interventions"]
    assert (span["operator_id"], span["is_requested"], span["mean_command_delay_ms"]) == ("ann", True, None)
    (request,) = found["help"]
    assert (request["options"], request["result"], request["step_index"]) == (["red", "blue"], "taken_over", 7)
    assert found["learned"]["versions"] == ["2"]
    assert found["learned"]["mean_advantage"] == pytest.approx(0.305)
    assert found["learned"]["num_sampled"] == 412
    assert found["learned"]["sampled"] == [
        {"version": "2", "num_sampled": 412, "num_corrections_sampled": 120, "first_sampled_ns": 2500 * S}
    ]
    assert "num_sampled" not in found["learned"]["unavailable"]
    # In the set of version 2, whose training counted, and never drawn; and in no counted set.
    assert filled.get("/api/episodes/b0/e2")["learned"]["num_sampled"] == 0
    assert filled.get("/api/episodes/b0/e8")["learned"]["num_sampled"] is None
    assert [camera["name"] for camera in found["spec"]["cameras"]] == ["scene", "wrist"]
    assert found["neighbours"] == {"previous": "b0/e2", "next": "b0/e4"}


def test_a_series_has_exact_extremes_in_as_many_points_as_asked(filled: Pages) -> None:
    found = filled.get("/api/episodes/b0/e3/series", channels="state.0,state.1,value,state.9", buckets=4)
    assert found["step"] == [0, 10, 20, 30]
    assert found["channels"]["state.0"] == {"min": [0, 10, 20, 30], "max": [9, 19, 29, 39]}
    assert found["channels"]["state.1"] == {"min": [-9, -19, -29, -39], "max": [0, -10, -20, -30]}
    assert found["channels"]["state.9"] == {"min": [None] * 4, "max": [None] * 4}
    part = filled.get("/api/episodes/b0/e3/series", channels="state.0", first=5, last=8, buckets=2000)
    assert (part["step"], part["channels"]["state.0"]["min"]) == ([5, 6, 7, 8], [5, 6, 7, 8])
    assert filled.get("/api/episodes/b0/e3/series", channels="state.0", first=99)["step"] == []


def test_pictures_are_jpeg_whatever_was_stored(filled: Pages) -> None:
    for path in ("frames/scene/3", "frames/wrist/3", "frames/1/39", "thumb", "thumb?which=first&camera=wrist"):
        answer = filled.ask("GET", f"/api/episodes/b0/e1/{path}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.content.startswith(b"\xff\xd8\xff")


def test_an_ending_names_the_steps_of_the_last_seconds(filled: Pages) -> None:
    path = "/api/episodes/b0/e1/ending"
    found = filled.get(path, length_s=1, fps=4)
    assert (found["steps"], found["control_rate_hz"]) == ([24, 29, 34, 39], 20.0)
    assert filled.get(path, length_s=30, fps=2)["steps"] == [9, 19, 29, 39]


def test_a_picture_that_is_still_on_its_way_is_no_error_in_a_list(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    filler = Filler(lake)
    steps, episode = make_run(1, 4)
    filler.put(STEPS, steps[:3])
    filler.put(EPISODES, [episode])
    filler.put(EPISODES, [make_run(2, 4)[1]])
    history = History(lake)
    history.refresh()
    asked = Pages(history, lake, Home(tmp_path / "home"), now_s=5000)
    assert asked.ask("GET", "/api/episodes/b0/e1/thumb?which=first").status_code != 204
    for missing in ("b0/e1/thumb", "b0/e2/thumb", "b0/e2/thumb?which=first", "b0/e1/ending", "b0/e3/ending"):
        answer = asked.ask("GET", f"/api/episodes/{missing}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert asked.refused("/api/episodes/b0/e2/frames/0/0", 503)


def test_an_episode_can_be_taken_home(filled: Pages) -> None:
    answer = filled.ask("GET", "/api/episodes/b0/e3/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="episode-b0-e3.parquet"'
    steps = pq.read_table(io.BytesIO(answer.content))
    assert steps.column("step_index").to_pylist() == list(range(40))
    assert steps.column("control_mode").to_pylist().count("correcting") == 10


def test_judgements_go_on_under_the_persons_name(filled: Pages) -> None:
    label = {"outcome": "failure", "reason": "<script>", "progress": 2}
    assert filled.ask("POST", "/api/episodes/b0/e1/labels", json=label).json() == {"taken": True}
    mark = {"kind": "moment", "step_index": 7, "note": "here"}
    assert filled.ask("POST", "/api/episodes/b0/e1/marks", json=mark).json() == {"taken": True}
    assert filled.judgements.said == [
        ("label", "ann", "b0/e1", "failure", "<script>", 2),
        ("mark", "ann", "b0/e1", 7, "moment", "here"),
    ]
    for path, body in [
        ("e1/labels", {"outcome": "great"}),
        ("e1/labels", {"outcome": "success", "progress": 6}),
        ("e1/marks", {"kind": "moment", "step_index": 40}),
        ("e1/marks", {"kind": "tattoo"}),
    ]:
        assert filled.ask("POST", f"/api/episodes/b0/{path}", json=body).status_code == 400
    # One that ended a moment ago has not reached the lake yet.
    assert filled.ask("POST", "/api/episodes/b0/e99/labels", json=label).json() == {"taken": True}
    assert filled.ask("POST", "/api/episodes/b0/e99/marks", json=mark).json() == {"taken": True}


def test_who_may_read_and_who_may_say(tmp_path: Path) -> None:
    viewer = pages(tmp_path, role=Role.VIEWER, is_filled=False)
    assert viewer.ask("POST", "/api/episodes/b0/e1/labels", json={"outcome": "success"}).status_code == 403
    for path in ("/api/episodes", "/api/learning", "/api/series", "/api/fleet"):
        assert viewer.ask("GET", path, is_signed_in=False).status_code == 401


# --- series, fleet -------------------------------------------------------------------------------


def test_long_series(filled: Pages) -> None:
    names = {row["name"] for row in filled.get("/api/series")["names"]}
    assert {"success_moving", "steps_per_s", "kafka_lag"} <= names
    found = filled.get("/api/series", name="success_moving", buckets=2000)
    # e1 e2 e4 e5 e6 e7 in order of time: 1, 1/2, 2/3, 3/4, 3/5, 3/6
    assert found["max"] == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5, 3 / 6])
    coarse = filled.get("/api/series", name="success_moving", buckets=1)
    assert (coarse["min"], coarse["max"], coarse["n"]) == ([0.5], [1.0], [6])
    requests = filled.get("/api/series", name="help_requests", buckets=2, first_ns=2000 * S, last_ns=4300 * S)
    assert requests["max"] == [1.0, 2.0]
    assert filled.get("/api/series", name="kafka_lag")["t_ns"] == []


def test_a_window_is_asked_for_alike_everywhere(filled: Pages) -> None:
    # 1100 s ago version 2 had not begun.
    found = filled.get("/api/series", name="success_moving", buckets=2000, window_s=1100)
    assert found["max"] == pytest.approx([1, 1, 2 / 3, 2 / 4])
    assert len(filled.get("/api/episodes", limit=200, since_ns=3900 * S)["episodes"]) == 5
    assert filled.get("/api/episodes", window_s=60)["total"] == 0  # nothing ended in the last real minute


def test_fleet_and_one_robot(filled: Pages) -> None:
    fleet = filled.get("/api/fleet")
    assert [row["robot_id"] for row in fleet["robots"]] == ["r0", "r1"]
    assert (fleet["services"], fleet["health"]["is_healthy"]) == ([], False)
    robot = filled.get("/api/fleet/robots/r1")
    assert (robot["num_episodes"], robot["num_successes"], robot["num_failures"]) == (3, 1, 1)
    assert ["correcting", 2194 * S, 2197 * S, "b0/e3"] in robot["bands"]
    assert ["waiting", 2192 * S, 2193 * S, "b0/e3"] in robot["bands"]
    kinds = [event["kind"] for event in robot["events"]]
    assert kinds == ["failure", "help", "swap", "intervention", "help"]


def test_services_are_asked_and_shown(tmp_path: Path) -> None:
    filled = pages(tmp_path)
    home = Home(tmp_path / "home")
    with Service("ingest", metrics_secret=scrape.secret(home.path)) as service:
        service.metrics.set("touchline_kafka_lag_records", 7, topic="steps")
        service.metrics.set("touchline_delta_commit_age_seconds", 0.5, topic="steps")
        service.metrics.count("touchline_learner_steps_total", 10, part="policy")
        service.metrics.count("touchline_learner_wait_seconds_total", 1.0, on="episodes")
        running = {"pid": 1, "is_running": True, "is_done": False, "num_restarts": 2, "metrics_port": service.port}
        dead = {"pid": 2, "is_running": False, "is_done": False, "num_restarts": 0, "metrics_port": None}
        home.write_fleet({"settings": {"actor": {"seed": 3}}, "processes": {"ingest": running, "actor-0": dead}})
        filled.watch.refresh()
        filled.clock[0] += 2 * S
        service.metrics.count("touchline_learner_steps_total", 5, part="policy")
        service.metrics.count("touchline_learner_wait_seconds_total", 0.5, on="episodes")
        filled.watch.refresh()
    fleet = filled.get("/api/fleet")
    assert [(row["name"], row["state"], row["restarts"]) for row in fleet["services"]] == [
        ("ingest", "healthy", 2),
        ("actor-0", "not running", 0),
    ]
    assert fleet["health"] == {"is_healthy": False, "words": "actor-0: not running"}
    answer = filled.get("/api/learning")
    assert answer["lag"] == {
        "topics": [{"topic": "steps", "kafka_lag_records": 7.0, "commit_age_s": 0.5}],
        "learner_wait_share": {"episodes": 0.25},
    }
    assert (answer["learner"]["num_steps"], answer["learner"]["steps_per_s"]) == (15.0, 2.5)
    assert filled.get("/api/series", name="kafka_lag", buckets=1)["max"] == [7.0]


@pytest.mark.parametrize("content", ["{", '{"processes": {"a": {}}}', '{"processes": 3}'])
def test_a_fleet_file_that_cannot_be_read_is_said(tmp_path: Path, content: str) -> None:
    asked = pages(tmp_path, is_filled=False)
    (tmp_path / "home" / "fleet.json").write_text(content)
    asked.watch.refresh()
    health = asked.get("/api/fleet")["health"]
    assert not health["is_healthy"]
    assert "fleet.json" in health["words"]


# --- a lake that is young, grows, or goes away ---------------------------------------------------


def test_a_first_run_is_empty_and_says_so(tmp_path: Path) -> None:
    empty = pages(tmp_path, is_filled=False)
    assert empty.get("/api/episodes")["episodes"] == []
    answer = empty.get("/api/learning")
    assert answer["headline"]["success"]["estimate"] is None
    assert answer["gallery"] == {"failures": [], "corrections": []}
    nulls = {name for name, panel in answer.items() if panel is None}
    assert nulls <= set(answer["unavailable"])
    assert "success" in nulls
    assert empty.get("/api/fleet")["robots"] == []
    assert empty.get("/api/series", name="success_moving")["t_ns"] == []
    json.dumps(answer, allow_nan=False)


def test_the_latest_label_wins_and_history_stays(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    filler = fill(lake)
    filler.put(LABELS, [make_label(0, "b0/e8", "failure", 10), make_label(1, "b0/e8", "success", 30)])
    filler.put(LABELS, [make_label(2, "b0/e8", "failure", 20)])
    history = History(lake)
    history.refresh()
    asked = Pages(history, lake, Home(tmp_path / "home"), now_s=5000)
    found = asked.get("/api/episodes/b0/e8")
    assert (found["episode"]["outcome"], found["episode"]["outcome_author"]) == ("success", "ann")
    assert found["episode"]["first_outcome"] == "unlabelled"
    assert [(row["outcome"], row["is_effective"]) for row in found["labels"]] == [
        ("failure", False),
        ("failure", False),
        ("success", True),
    ]
    assert ids(asked.get("/api/episodes", label="disagreement")) == ["e8"]
    assert asked.get("/api/episodes")["num_unlabelled"] == 0
    assert by(asked.get("/api/learning", window_s=0)["success"], version="2", task="toy")["n"] == 3


def test_requests_are_answered_while_the_lake_grows(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    filler = Filler(lake)
    filler.put_run(0, 5, ended_ns=10)
    history = History(lake, config=HistoryConfig(poll_s=0.01))
    history.refresh()
    history.start()
    asked = Pages(history, lake, Home(tmp_path / "home"), now_s=5000)
    totals = []
    for number in range(1, 8):
        filler.put_run(number, 5, ended_ns=10 + number)
        filler.put(VALUES, make_values(number * 10, "c", f"b0/e{number}", 5, value=-0.5, returned=-0.5, advantage=0.1))
        totals.append(asked.get("/api/episodes")["total"])
        assert asked.get("/api/learning", window_s=0)["headline"]["success"]["n"] >= totals[-1]
    deadline_s = time.monotonic() + 30
    while len(history.snapshot().digests.by_row) < 7:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    history.close()
    assert totals == sorted(totals)
    assert asked.get("/api/learning", window_s=0)["calibration"][0]["n"] == 35


def test_steps_and_pictures_are_found_after_compaction(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    fill(lake)
    history = History(lake)
    history.refresh()
    maintain(lake, STEPS, MaintenanceConfig(), retention_h=0)
    asked = Pages(history, lake, Home(tmp_path / "home"), now_s=5000)
    found = asked.get("/api/episodes/b0/e3/series", channels="state.0", buckets=2)
    assert found["channels"]["state.0"]["max"] == [19, 39]
    assert asked.ask("GET", "/api/episodes/b0/e1/frames/wrist/39").status_code == 200
    history.refresh()
    assert asked.get("/api/episodes/b0/e3")["episode"]["bands"][1] == ["correcting", 20, 29]


def test_hostile_names_are_only_ever_text(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    name = "x'); DROP TABLE steps; --/\"<img src=x onerror=alert(1)>"
    filler = Filler(lake)
    filler.put(STEPS, [make_step(i, episode_id=name, step_index=i) for i in range(3)])
    filler.put(EPISODES, [make_episode(0, 3, episode_id=name, task_id="<b>", robot_id="../../etc", instruction="\x00")])
    history = History(lake)
    history.refresh()
    asked = Pages(history, lake, Home(tmp_path / "home"), now_s=5000)
    (row,) = asked.get("/api/episodes", task="<b>", robot="../../etc")["episodes"]
    assert row["episode_id"] == name
    address = f"/api/episodes/{quote(name, safe='')}"
    assert asked.get(address)["episode"]["task_id"] == "<b>"
    assert asked.get(f"{address}/series", channels="state.0")["channels"]["state.0"]["max"] == [0, 1, 2]
    exported = asked.ask("GET", f"{address}/export")
    assert set(exported.headers["content-disposition"]) <= set(string.ascii_letters + string.digits + '; =."-')


def test_growth_is_seen_at_the_next_look_and_snapshots_stay(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    filler = Filler(lake)
    filler.put_run(0, 5, ended_ns=10)
    history = History(lake)
    history.refresh()
    before = history.snapshot()
    # Beyond the columns' first capacity.
    filler.put(EPISODES, [make_episode(number, 2, ended_ns=10 + number) for number in range(1, 300)])
    history.refresh()
    assert (before.episodes.num_rows, history.snapshot().episodes.num_rows) == (1, 300)
    assert before.episodes.row("b0/e5") is None
    assert len(before.modes) == 1
    asked = Pages(history, lake, Home(tmp_path / "home"), now_s=5000)
    assert asked.get("/api/episodes", limit=1)["total"] == 300


def test_what_is_erased_is_forgotten_at_the_next_look(tmp_path: Path) -> None:
    """From the list alone: rows that the sweep has not reached are still in the tables."""
    lake, home, now_ns = Lake(str(tmp_path / "lake")), Home(tmp_path / "home"), 5000 * S
    fill(lake)
    history = History(lake, now_ns=lambda: now_ns)
    history.refresh()
    running = Pages(history, lake, home, now_s=5000)
    assert running.ask("GET", "/api/episodes/b0/e3/frames/wrist/39").status_code == 200
    before = history.snapshot()
    gone = [(Kind.EPISODE, "b0/e3"), (Kind.HELP_REQUEST, "q0"), (Kind.OPERATOR, hash_of("bob"))]
    Removals(lake).add(gone, author="carol", reason="asked")
    history.refresh()
    assert ids(running.get("/api/episodes")) == ["e8", "e7", "e6", "e5", "e4", "e2", "e1", "e0"]
    for address in ("", "/frames/wrist/39", "/series?channels=state.0", "/export"):
        assert running.ask("GET", f"/api/episodes/b0/e3{address}").status_code == 404
    assert running.get("/api/episodes/b0/e2")["marks"][0]["author"] == ERASED
    assert "b0/e3" not in repr(dataclasses.asdict(history.snapshot()))
    assert before.episodes.row("b0/e3") is not None  # a request that was under way
    carry_out(lake, Removals(lake))
    anew = History(lake, now_ns=lambda: now_ns)
    anew.refresh()
    started = Pages(anew, lake, home, now_s=5000)
    for address in ("/api/episodes", "/api/episodes/b0/e2", "/api/learning?window_s=0"):
        assert running.get(address) == started.get(address)


def test_pictures_that_were_shown_are_forgotten_too(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    fill(lake)
    history, reader = History(lake), EpisodeReader(lake, cache_bytes=1 << 20)
    history.refresh()
    reader.frames(history.snapshot(), "b0/e3", 0)
    Removals(lake).add([(Kind.EPISODE, "b0/e3")], author="carol", reason="asked")
    history.refresh()
    reader.frames(history.snapshot(), "b0/e1", 0)
    assert "b0/e3" not in repr(reader._cache._items)


def test_a_lake_that_goes_away_keeps_what_was_read_with_its_age(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    filler = fill(lake)
    clock = [100]
    history = History(lake, now_ns=lambda: clock[0])
    history.refresh()
    asked = Pages(history, lake, Home(tmp_path / "home"), now_s=5000)
    filler.put_run(20, 3)
    for table in (tmp_path / "lake").iterdir():
        shutil.rmtree(table)
    (tmp_path / "lake").rmdir()
    (tmp_path / "lake").write_text("not a folder any more")
    clock[0] = 200
    history.refresh()
    answer = asked.get("/api/episodes")
    assert (answer["total"], answer["as_of_ns"]) == (9, 100)
    assert answer["lake"]
    assert asked.refused("/api/episodes/b0/e1/series", 503, channels="state.0")
    history.close()
    nobody = History(lake)
    nobody.refresh()
    assert Pages(nobody, lake, Home(tmp_path / "home"), now_s=5000).refused("/api/episodes", 503)
