from pathlib import Path

import pytest

from demo.options import DemoConfig
from demo.run import MARKER_FILE, clear, run
from demo.stages import Stages
from infra.home import Home
from policy.errors import ConfigError


def test_a_home_that_is_no_demos_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(ConfigError, match="no demo's"):
        clear(Home(tmp_path))
    assert (tmp_path / "lake").is_dir()


def test_an_earlier_demo_gives_way(tmp_path: Path) -> None:
    clear(Home(tmp_path))
    (tmp_path / "lake").mkdir()
    clear(Home(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [MARKER_FILE]


def test_a_new_home_runs_and_a_second_demo_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the run itself makes may look like somebody's fleet."""
    monkeypatch.setattr(Stages, "run", lambda stages: None)
    options = DemoConfig(out=str(tmp_path))
    for _ in range(2):
        assert run(options, None, None) == 130
