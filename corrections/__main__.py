"""`python -m corrections gateway | operator | drive ROBOT | device check`: the human side's processes.

Each command is also a function of its own, for the one `touchline` command line.
"""

import sys
from collections.abc import Callable, Sequence

from infra import config, service
from policy.errors import ConfigError, TouchlineError

_CONFIG_ERROR_CODE = 2


def gateway(argv: Sequence[str] | None = None) -> int:
    """Serve robots and operators."""
    from corrections.gateway import GatewayConfig
    from corrections.lease import LeaseConfig
    from infra.bus import KafkaConfig

    parser = config.parser("touchline gateway", "Where robots and operators meet.")
    config.add_flags(parser, "gateway", GatewayConfig)
    config.add_flags(parser, "lease", LeaseConfig)
    config.add_flags(parser, "kafka", KafkaConfig)
    service.add_flags(parser)
    args = parser.parse_args(argv)
    from corrections import gateway_service

    return gateway_service.run(args)


def operator(argv: Sequence[str] | None = None) -> int:
    """Run scripted people."""
    from corrections.corrector import QualityConfig
    from corrections.operator_client import OperatorConfig
    from corrections.scripted_operator import ScriptedConfig

    parser = config.parser("touchline operator", "Scripted people who watch simulated robots and help them.")
    config.add_flags(parser, "scripted", ScriptedConfig)
    config.add_flags(parser, "quality", QualityConfig)
    config.add_flags(parser, "operator", OperatorConfig)
    service.add_flags(parser)
    args = parser.parse_args(argv)
    from corrections import operator_service

    return operator_service.run(args)


def drive(argv: Sequence[str] | None = None) -> int:
    """Drive one robot from this terminal."""
    from corrections import terminal
    from corrections.mapping import MappingConfig
    from corrections.operator_client import OperatorConfig

    parser = config.parser("touchline drive", "Drive one robot. Not a safety device: keep the hard-wired stop near.")
    parser.add_argument("robot", help="name of the robot, as `touchline status` shows it")
    parser.add_argument("--device", choices=terminal.DEVICES, default="keyboard", help="what you hold")
    config.add_flags(parser, "operator", OperatorConfig)
    config.add_flags(parser, "mapping", MappingConfig)
    args = parser.parse_args(argv)
    return terminal.drive(args)


def device(argv: Sequence[str] | None = None) -> int:
    """Look at an input device."""
    from corrections import terminal

    parser = config.parser("touchline device", "Look at an input device.")
    parser.add_argument("action", choices=("check",), help="check: show live axes and buttons")
    parser.add_argument("--device", choices=terminal.DEVICES, default="spacemouse", help="which")
    parser.add_argument("--seconds", type=float, default=0.0, help="end by itself after this long; 0: Ctrl-C")
    args = parser.parse_args(argv)
    return terminal.check_device(args)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "gateway": gateway,
    "operator": operator,
    "drive": drive,
    "device": device,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        print(f"usage: python -m corrections {{{','.join(COMMANDS)}}} ...", file=sys.stderr)
        return 0 if words[:1] in (["--help"], ["-h"]) else _CONFIG_ERROR_CODE
    try:
        return COMMANDS[words[0]](words[1:])
    except TouchlineError as error:
        print(f"{words[0]}: {error}", file=sys.stderr)
        return _CONFIG_ERROR_CODE if isinstance(error, ConfigError) else 1


if __name__ == "__main__":
    sys.exit(main())
