from collections.abc import Callable
from pathlib import Path

import pytest

from demo.options import DemoConfig
from demo.run import MARKER_FILE, clear, run
from demo.stages import Stages, base_settings
from infra import config, identity
from infra.home import Home
from learner.schedule import LearnerConfig
from policy.errors import ConfigError
from robots import tasks


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_a_home_that_is_no_demos_is_not_deleted(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "theirs")
    for _ in range(2):
        with pytest.raises(ConfigError, match="no demo's"):
            clear(Home(tmp_path))
    assert (tmp_path / "theirs").exists()


def test_an_earlier_demo_gives_way(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.lock_file.touch()
    clear(home)
    (tmp_path / "lake").mkdir()
    identity.enrol_services(tmp_path)
    clear(home)
    assert {path.name for path in tmp_path.iterdir()} == {MARKER_FILE, home.lock_file.name}
    identity.enrol_services(tmp_path)


def test_a_new_home_runs_and_a_second_demo_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the run itself makes may look like somebody's fleet."""
    monkeypatch.setattr(Stages, "run", lambda stages: None)
    options = DemoConfig(out=str(tmp_path))
    for _ in range(2):
        assert run(options, None, None) == 130


@pytest.mark.parametrize("task", [*tasks.TASKS, "plug_insertion,shape=keyed"])
def test_the_learner_waits_for_as_many_demonstrations_as_are_shown(task: str) -> None:
    usual, fewer = DemoConfig(task=task), DemoConfig(task=task, demonstrations=7)
    assert usual.lesson == tasks.lesson(task)
    for options in (usual, fewer):
        settings = config.load("learner", LearnerConfig, environ=base_settings(options.lesson))
        assert settings.base_demonstrations == options.lesson.demonstrations
        assert settings.base_updates == tasks.lesson(task).updates
    assert fewer.lesson.demonstrations == 7


def test_a_number_of_demonstrations_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="demonstrations"):
        DemoConfig(demonstrations=-1)
