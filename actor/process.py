"""The actor process, put together.

control thread (main)    scheduler: every robot's tick
inference thread         chunks; the tick looks whether they are there
recorder thread          disk spool and broker; fed through a queue
weight-sync thread       registry and releases topic; looked at when an episode begins
robot-link thread        the gateway's socket; mailboxes both ways
"""

import argparse
import contextlib
import functools
import importlib
import json
import secrets
import sys
from collections.abc import Mapping

from actor import modes, own_settings
from actor.asking import HelpConfig
from actor.chunks import ChunkConfig
from actor.control_loop import ControlLoop
from actor.doubt import Calibration
from actor.inference import Inference
from actor.link import Link, NoLink
from actor.logbook import Logbook
from actor.modes import Site
from actor.options import EVERY_CANDIDATE, ActorConfig
from actor.recorder import Recorder, RecorderConfig
from actor.safety import Limits, LimitsConfig
from actor.scene_ledger import LEDGER_FILE, SceneLedger
from actor.scene_list import SceneList
from actor.scheduler import Scheduler
from actor.self_check import SelfCheck, calibration_of
from actor.stuck import StuckConfig, StuckDetector
from actor.work import Work
from corrections import auth
from corrections.inspection import About
from corrections.intervention import SafetyConfig
from corrections.protocol import RobotInfo
from corrections.robot_link import LinkConfig, RobotLink
from infra import config, connect, home, identity, logs, service
from infra.bus import KafkaConfig
from infra.credentials import Credential
from infra.home import Home
from infra.service import Service
from infra.signing import MessageSigner
from policy.schema import SceneSplit
from policy.spec import EmbodimentSpec
from robots.robot import Oriented, Robot
from robots.tasks import make


def run(args: argparse.Namespace) -> int:
    """Work until SIGTERM, or until the scenes are done.

    Returns:
        0 when everything asked for was done and the broker has it.

    Raises:
        TouchlineError: a setting is wrong, or the version to evaluate must not act.
    """
    settings = config.from_args("actor", ActorConfig, args)
    is_at_work = args.evaluate is None and args.demonstrate is None
    name = settings.name or ("actor" if is_at_work else "evaluator" if args.evaluate else "demonstrator")
    rate = float(is_at_work) if settings.rate is None else settings.rate
    place = home.from_args(args)
    with contextlib.ExitStack() as stack:
        tail = stack.enter_context(logs.tailing(name))
        frame = stack.enter_context(service.from_args(name, args))
        if args.demonstrate is None:
            # Before the first picture: see the traps in `robots/simulation.py`.
            importlib.import_module("torch")
        robots = {f"{name}-{number}": make(settings.task) for number in range(settings.robots)}
        for robot in robots.values():
            stack.callback(robot.close)
        held = {
            robot_id: identity.robot(place.path, robot_id, is_simulated=robot.is_simulated)
            for robot_id, robot in robots.items()
        }
        site = _site(args, settings, frame, stack, place, name, robots, held)
        work = _work(site)
        recorder = _recorder(site, place, name, work)
        link = _link(site, place, tail, robots) if is_at_work else NoLink()
        calibration = calibration_of(config.from_args("help", HelpConfig, args))
        loops = [_loop(site, robot_id, robot, work, recorder, link, calibration) for robot_id, robot in robots.items()]
        scheduler = Scheduler(
            loops, site.inference, rate=rate, metrics=frame.metrics, is_behind=lambda: recorder.is_behind
        )
        scheduler.run(frame.stopping, lambda: work.is_done)
        return _finish(site, recorder, work)


def _site(
    args: argparse.Namespace,
    settings: ActorConfig,
    frame: Service,
    stack: contextlib.ExitStack,
    place: Home,
    name: str,
    robots: Mapping[str, Robot],
    held: Mapping[str, Credential],
) -> Site:
    spec = next(iter(robots.values())).spec
    _leave_spec(place, spec)
    bus = connect.bus(config.from_args("kafka", KafkaConfig, args), next(iter(held.values())))
    stack.callback(bus.close)
    inference = Inference(frame.metrics)
    stack.callback(inference.close)
    (place.spool / name).mkdir(exist_ok=True)
    return Site(
        args=args,
        settings=settings,
        chunks=config.from_args("chunks", ChunkConfig, args),
        frame=frame,
        bus=bus,
        inference=inference,
        ledger=SceneLedger(place.spool / name / LEDGER_FILE),
        spec=spec,
        held=held,
        trust=identity.trust(place.path, held.values()),
        robot_ids=tuple(robots),
        weights=place.weights / name,
        boot=secrets.token_hex(6),
        stack=stack,
    )


def _work(site: Site) -> Work:
    args = site.args
    if args.demonstrate is not None:
        return modes.demonstrate(site, args.demonstrate)
    if args.evaluate == EVERY_CANDIDATE:
        return modes.evaluate_candidates(site)
    if args.evaluate is not None:
        return modes.evaluate(site, args.evaluate, args.episodes, SceneSplit[args.split.upper()])
    return modes.collect(site)


def _recorder(site: Site, place: Home, name: str, work: Work) -> Recorder:
    # By the file, not by who runs here: the spool may hold records of robots of an earlier start.
    signer = MessageSigner(functools.cache(functools.partial(identity.robot, place.path, is_simulated=False)))
    recorder = Recorder(
        place.spool / name,
        lambda: site.bus.producer(name, wait_s=0, signer=signer),
        config.from_args("recorder", RecorderConfig, site.args),
        site.frame.metrics,
        on_episode=work.ended,
    )
    site.stack.callback(recorder.close)
    site.frame.add_check("recorder", recorder.problem)
    return recorder


def _link(site: Site, place: Home, tail: logs.Tail, robots: Mapping[str, Robot]) -> Link:
    name = site.frame.name
    settings = own_settings.resolved(site.args)
    before = own_settings.keep(place.spool / name / own_settings.SETTINGS_FILE, settings)
    infos = [_info(robot_id, robot, name, own_settings.hash_of(settings)) for robot_id, robot in robots.items()]
    link = RobotLink(
        infos,
        config.from_args("link", LinkConfig, site.args),
        config.from_args("safety", SafetyConfig, site.args),
        about=About(
            settings=json.dumps(settings),
            settings_before=json.dumps(before) if before else "",
            lines=tail.after,
        ),
        token=auth.tokens_of(site.held.values()),
    )
    link.start()
    site.stack.callback(link.close)
    return link


def _info(robot_id: str, robot: Robot, process: str, config_hash: str) -> RobotInfo:
    oriented = robot if isinstance(robot, Oriented) else None
    return RobotInfo(
        robot_id=robot_id,
        spec=robot.spec.to_json(),
        is_simulated=robot.is_simulated,
        process=process,
        config_hash=config_hash,
        camera_yaws_rad=oriented.camera_yaws_rad if oriented else {},
        is_tool_fixed=oriented is not None and oriented.is_tool_fixed,
    )


def _loop(
    site: Site,
    robot_id: str,
    robot: Robot,
    work: Work,
    recorder: Recorder,
    link: Link,
    calibration: Calibration,
) -> ControlLoop:
    metrics = site.frame.metrics
    asking = config.from_args("help", HelpConfig, site.args)
    stuck = StuckDetector(robot.spec, config.from_args("stuck", StuckConfig, site.args))
    metrics.set("touchline_robot_up", 1, robot=robot_id)
    return ControlLoop(
        robot,
        work,
        Logbook(robot_id, f"{robot_id}-{site.boot}", robot, recorder.put, metrics, recorder.waiting),
        link=link,
        limits=Limits.of(robot.spec, config.from_args("limits", LimitsConfig, site.args)),
        safety=config.from_args("safety", SafetyConfig, site.args),
        check=SelfCheck(robot.spec, stuck, asking, calibration),
        asking=asking,
        metrics=metrics,
    )


def _finish(site: Site, recorder: Recorder, work: Work) -> int:
    """Say how it went, and wait until the broker has it, unless the process was told to stop."""
    is_complete = work.is_done
    if isinstance(work, SceneList):
        sys.stdout.write(work.summary() + "\n")
    if site.frame.stopping.is_set():
        return 0 if not isinstance(work, SceneList) or is_complete else 1
    num_left = recorder.drain(site.settings.finish_s)
    if num_left:
        site.frame.log.error("the broker does not have everything; the next start sends it", extra={"left": num_left})
    return 1 if num_left else 0


def _leave_spec(place: Home, spec: EmbodimentSpec) -> None:
    """Put the spec where ingest looks, so that it can check steps against it."""
    folder = place.path / "specs"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{spec.spec_id}.{secrets.token_hex(4)}.tmp"
    draft.write_text(spec.to_json())
    draft.replace(folder / f"{spec.spec_id}.json")
