import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra import keeper
from infra.home import Home
from infra.local import Supervisor
from infra.processes import Launch
from policy.errors import ConfigError, TouchlineError

DEADLINE_S = 20.0
SLEEPER = "import time; time.sleep(1000)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
WITH_CHILD = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {!r}]); time.sleep(1000)"


def python(name: str, code: str, **kwargs: object) -> Launch:
    return Launch(name=name, command=(sys.executable, "-c", code), **kwargs)  # type: ignore[arg-type]


def wait_for(condition: Callable[[], object], tend: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        tend()
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def newest_keeper() -> psutil.Process:
    keepers = [child for child in psutil.Process().children() if child.cmdline()[-1:] == [keeper.__file__]]
    return max(keepers, key=psutil.Process.create_time)


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_home: Home, events: list[str]) -> Iterator[Supervisor]:
    with Supervisor(tmp_home, on_event=events.append, drain_s=2.0) as supervisor:
        yield supervisor


def test_a_killed_process_is_started_again_and_said_so(supervisor: Supervisor, events: list[str]) -> None:
    supervisor.start([python("sleeper", SLEEPER)])
    first = supervisor.pid("sleeper")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(events) == 2, supervisor.tend)
    assert "sleeper died with SIGKILL; starting it again in" in events[0]
    assert "sleeper started again (restart 1)" in events[1]
    assert supervisor.pid("sleeper") != first
    assert supervisor.is_running("sleeper")
    entry = supervisor.home.fleet()["processes"]["sleeper"]
    assert entry["pid"] == supervisor.pid("sleeper")
    assert entry["num_restarts"] == 1


def test_what_is_done_stays_done(supervisor: Supervisor, events: list[str]) -> None:
    supervisor.start([python("once", "raise SystemExit(0)", ends=True)])
    wait_for(lambda: events, supervisor.tend)
    assert events == ["once is done"]
    assert supervisor.is_done("once")


def test_what_dies_before_it_is_done_is_started_again(
    supervisor: Supervisor, events: list[str], tmp_path: Path
) -> None:
    code = f"import pathlib; p = pathlib.Path({str(tmp_path / 'seen')!r}); seen = p.exists(); p.touch()\n"
    supervisor.start([python("twice", code + "raise SystemExit(0 if seen else 3)", ends=True)])
    wait_for(lambda: supervisor.is_done("twice"), supervisor.tend)
    assert "twice died with exit code 3" in events[0]


def test_settings_refused_at_the_first_start_end_the_fleet(supervisor: Supervisor) -> None:
    code = "import sys; sys.stderr.write('port 1 is in use'); raise SystemExit(2)"
    supervisor.start([python("picky", code)])
    with pytest.raises(TouchlineError, match=r"picky refused its settings.*port 1 is in use"):
        wait_for(lambda: False, supervisor.tend)


def test_a_process_that_does_not_get_ready_is_named_with_its_log(supervisor: Supervisor) -> None:
    launch = python("broken", "raise ValueError('no engine')", is_ready=lambda: False)
    with pytest.raises(TouchlineError, match=r"broken did not start.*no engine"):
        supervisor.start([launch])


def test_stop_ends_the_last_stage_first_and_bounds_the_drain(tmp_home: Home, tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    polite = textwrap.dedent("""
        import signal, sys, time
        def leave(*_):
            open(sys.argv[1], "a").write(sys.argv[2] + " ")
            raise SystemExit(0)
        signal.signal(signal.SIGTERM, leave)
        open(sys.argv[1] + sys.argv[2], "w").close()
        time.sleep(1000)
        """)

    def launch(name: str) -> Launch:
        command = (sys.executable, "-c", polite, str(ended), name)
        return Launch(name=name, command=command, is_ready=Path(f"{ended}{name}").exists)

    with Supervisor(tmp_home, on_event=lambda _: None, drain_s=0.5) as supervisor:
        supervisor.publish_settings({"kafka": {"bootstrap_servers": "here:1"}})
        supervisor.start([launch("broker")])
        supervisor.start([launch("actor"), python("stubborn", STUBBORN)])
        pids = [supervisor.pid(name) for name in ("broker", "actor", "stubborn")]
        assert tmp_home.fleet()["settings"] == {"kafka": {"bootstrap_servers": "here:1"}}
    assert ended.read_text() == "actor broker "
    assert not any(is_alive(pid) for pid in pids)
    assert tmp_home.fleet()["settings"] == {}
    assert tmp_home.fleet()["processes"] == {}


def test_a_second_fleet_on_a_live_home_is_refused(supervisor: Supervisor, tmp_home: Home) -> None:
    second = Supervisor(tmp_home, on_event=lambda _: None)
    with pytest.raises(ConfigError, match=rf"a fleet runs on .* already \(supervisor process {os.getpid()}\)"):
        second.__enter__()


def test_killing_the_keeper_does_not_unprotect_what_runs(supervisor: Supervisor, tmp_home: Home) -> None:
    first = newest_keeper()  # other tests' servers have keepers too
    first.kill()
    first.wait()
    supervisor.start([python("sleeper", SLEEPER)])
    assert newest_keeper().pid != first.pid
    supervisor.stop(["sleeper"])


SUPERVISE = """
import sys, time
from pathlib import Path
from infra.home import Home
from infra.local import Supervisor
from infra.processes import Launch
with Supervisor(Home(Path(sys.argv[1])), on_event=print) as supervisor:
    supervisor.start([Launch(name="parent", command=(sys.executable, "-c", sys.argv[2]))])
    time.sleep(1000)
"""


def test_sigkill_of_the_supervisor_leaves_no_orphans_and_the_next_one_starts(tmp_home: Home, tmp_path: Path) -> None:
    child = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(1000)"
    command = [sys.executable, "-c", SUPERVISE, str(tmp_home.path), WITH_CHILD.format(child)]
    with subprocess.Popen(command) as process:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        fleet = json.loads(tmp_home.fleet_file.read_text())
        parent, grandchild = fleet["processes"]["parent"]["pid"], int((tmp_path / "pid").read_text())
        assert fleet["supervisor_pid"] == process.pid
        assert is_alive(parent)
        assert is_alive(grandchild)
        process.kill()
    with Supervisor(tmp_home, on_event=lambda _: None):
        assert not is_alive(parent)
        assert not is_alive(grandchild)
