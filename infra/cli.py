"""`touchline`: one command line in front of every service.

A table of names; a command's module is imported only when it is called, so that `touchline --help`
takes no time and a robot needs none of the learner's packages.
"""

import dataclasses
import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from policy.errors import ConfigError, TouchlineError

_INTERRUPTED_CODE = 130
_BROKEN_PIPE_CODE = 141


@dataclasses.dataclass(frozen=True)
class Command:
    """One row of the table."""

    target: str
    """module:function; the function takes the arguments that follow and returns the exit code."""
    help: str
    prefix: tuple[str, ...] = ()
    """Arguments put before the caller's."""


COMMANDS = {
    "demo": Command("demo.__main__:main", "watch a small fleet get better, and get the evidence as a report"),
    "study": Command("study.__main__:main", "a question about learning, with seeds, intervals and controls"),
    "chaos": Command("chaos.__main__:main", "break a live fleet at random, then audit every promise"),
    "up": Command("infra.up:main", "run the whole fleet on this machine until Ctrl-C"),
    "status": Command("infra.status:main", "who runs, and which versions act"),
    "actor": Command("actor.__main__:main", "robots at work"),
    "evaluate": Command("actor.__main__:main", "a version on held-out scenes, without help", ("--evaluate",)),
    "learner": Command("learner.__main__:main", "train and publish candidates"),
    "judge": Command("learner.judge_service:main", "decide on candidates by evidence"),
    "ingest": Command("storage.__main__:main", "Kafka into the lake, exactly once"),
    "gateway": Command("corrections.__main__:gateway", "where robots and operators meet"),
    "console": Command("console.__main__:main", "the web pages: operators correct, engineers watch and promote"),
    "critic": Command("learner.critic_service:main", "value of the live stream, and help requests when it drops"),
    "operator": Command("corrections.__main__:operator", "scripted operators, clients of the gateway"),
    "drive": Command("corrections.__main__:drive", "drive a robot: ROBOT --device spacemouse|gamepad|keyboard"),
    "device": Command("corrections.__main__:device", "device check: show an input device's live axes"),
    "promote": Command("infra.release_commands:run_promote", "make a version the champion"),
    "rollback": Command("infra.release_commands:run_rollback", "make the previous champion act again"),
    "rollout": Command(
        "infra.release_commands:run_rollout", "a version by robot count: start|next|pause|resume|abort|status"
    ),
    "shadow": Command("infra.release_commands:run_shadow", "let a version propose beside the champion, and never act"),
    "robot": Command("infra.robot_commands:main", "who belongs to the fleet: add|list|rotate|revoke"),
    "acl": Command("infra.acl_command:main", "accounts and rights at Kafka, for its administrator: render|secret"),
    "sign": Command("infra.sign_command:main", "vouch for weights that the learner did not sign"),
    "freeze": Command("infra.release_commands:run_freeze", "stop promotions"),
    "thaw": Command("infra.release_commands:run_thaw", "allow promotions again"),
    "data": Command("storage.data:main", "what is in the lake and what it weighs: show|export|retain|erase"),
    "config": Command("infra.show_config:main", "every setting and where its value came from"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2 for a mistake in settings or arguments)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    name = arguments.pop(0)
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        print(f"touchline: no command {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""), file=sys.stderr)
        return 2
    return run(name, arguments)


def run(name: str, arguments: Sequence[str]) -> int:
    """Import and call one command; errors that we raise on purpose become one line."""
    command = COMMANDS[name]
    module, _, function = command.target.partition(":")
    try:
        code: int = getattr(importlib.import_module(module), function)([*command.prefix, *arguments])
    except TouchlineError as error:
        print(f"touchline {name}: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except ModuleNotFoundError as error:
        print(f"touchline {name}: this command needs {error.name}, which is not installed", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED_CODE
    except BrokenPipeError:
        # `touchline config | head`: the reader has seen enough, and the exit's flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE_CODE
    return code


def usage() -> str:
    """The list of commands."""
    width = max(map(len, COMMANDS)) + 2
    rows = "\n".join(f"  {name:<{width}}{command.help}" for name, command in COMMANDS.items())
    return f"usage: touchline COMMAND [--home DIR] [--config FILE] ...\n\n{rows}\n\ntouchline COMMAND --help says more."


if __name__ == "__main__":
    sys.exit(main())
