import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from demo import plots, report
from demo.alarms import Alarms
from demo.evidence import VersionEvidence


def _version(role: str, rate: float, share: float) -> VersionEvidence:
    return VersionEvidence(
        version="1",
        role=role,
        split="report",
        num_episodes=150,
        num_successes=int(150 * rate),
        success_rate=rate,
        success_low=rate - 0.05,
        success_high=min(1.0, rate + 0.05),
        throughput_per_robot_hour=900.0 * rate,
        mean_success_steps=50.0,
        intervention_share=share,
    )


def _report(**changes: Any) -> report.Report:
    fields: dict[str, Any] = {
        "algorithm": "recap",
        "task": "plug_insertion",
        "seed": 0,
        "wall_s": 700.0,
        "num_robots": 16,
        "versions": (_version("base", 0.5, 0.1), _version("champion", 0.97, math.nan)),
        "promotions": ({"event": "promote", "policy_version": "2", "author": "judge", "reason": "better <b>"},),
        "rejections": (),
        "steps": {"recorded": 10, "in_lake": 10, "lost": 0, "doubled": 0, "corrections": 3},
        "latency_s": {"step_to_replay_p50": 0.4, "correction_to_acting_p50": math.nan},
        "targets": {"success_at_least_90_percent": True, "throughput_at_least_doubled": False},
        "evidence_holds": True,
        "autonomous_data": "nothing",
        "value_drop": Alarms(raised=4, right=3, false_alarms=1, missed=1),
    }
    return report.Report(**{**fields, **changes})


def test_the_report_is_strict_json_and_says_what_was_not_measured(tmp_path: Path) -> None:
    report.write(tmp_path, _report(), [], [])
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["schema"] == 1
    assert found["latency_s"]["correction_to_acting_p50"] is None
    assert found["versions"][1]["intervention_share"] is None


def test_the_page_is_self_contained_and_escapes(tmp_path: Path) -> None:
    versions = _report().versions
    rng = np.random.default_rng(0)
    values = -rng.random(200)
    figures = [
        plots.success_by_version(versions),
        plots.throughput_by_version(versions),
        plots.intervention_share_by_version(versions),
        plots.value_calibration(values, values),
        plots.advantage_histogram(values, values > -0.4),
        plots.data_flow(np.arange(200.0), values > -0.1),
    ]
    sheet = plots.contact_sheet([np.zeros((8, 8, 3), np.uint8)] * 3)
    trace = plots.touch_trace(np.arange(20.0), rng.random(20), "force_z, 10 N", True)
    report.write(tmp_path, _report(), figures, [report.Picture(caption="A success", sheets=(sheet,), touch_svg=trace)])
    page = (tmp_path / "report.html").read_text()
    assert "better &lt;b&gt;" in page
    assert "50% to 97%" in page
    assert "4 requests for a fallen value: 3 right" in page
    assert "precision 75%, recall 75%" in page
    assert page.count("<svg") == 7
    assert 'src="http' not in page
    assert "currentColor" in page
