"""Every section of the configuration: its name and the dataclass beside the class it configures.

Names only, imported when asked: `touchline config` shows all of them, and refuses a section that is
not in the table.
"""

import importlib
from collections.abc import Mapping

from infra import config
from policy.errors import ConfigError

SECTIONS = {
    "kafka": "infra.bus:KafkaConfig",
    "broker": "infra.broker:BrokerConfig",
    "mlflow": "infra.registry:MlflowConfig",
    "mlflow_server": "infra.mlflow_server:MlflowServerConfig",
    "service": "infra.service:ServiceConfig",
    "canary": "infra.releases:CanaryCohort",
    "rollout": "infra.rollout_state:RolloutConfig",
    "lake": "storage.tables:LakeConfig",
    "ingest": "storage.ingest:IngestConfig",
    "maintenance": "storage.maintenance:MaintenanceConfig",
    "disk": "storage.disk:DiskConfig",
    "retention": "storage.retention:RetentionConfig",
    "gateway": "corrections.gateway:GatewayConfig",
    "lease": "corrections.lease:LeaseConfig",
    "operator": "corrections.operator_client:OperatorConfig",
    "scripted": "corrections.scripted_operator:ScriptedConfig",
    "quality": "corrections.corrector:QualityConfig",
    "mapping": "corrections.mapping:MappingConfig",
    "actor": "actor.options:ActorConfig",
    "chunks": "actor.chunks:ChunkConfig",
    "acting": "actor.acting_policy:ActingConfig",
    "weights": "actor.weight_sync:SyncConfig",
    "recorder": "actor.recorder:RecorderConfig",
    "link": "corrections.robot_link:LinkConfig",
    "safety": "corrections.intervention:SafetyConfig",
    "limits": "actor.safety:LimitsConfig",
    "stuck": "actor.stuck:StuckConfig",
    "help": "actor.asking:HelpConfig",
    "evaluation": "actor.candidates:GateEvaluationConfig",
    "learner": "learner.schedule:LearnerConfig",
    "policy": "policy.network:PolicyConfig",
    "update": "learner.update:UpdateConfig",
    "advantage": "learner.advantage:AdvantageConfig",
    "critic": "learner.critic:CriticConfig",
    "value": "learner.value:ValueConfig",
    "live_critic": "learner.live_critic:LiveCriticConfig",
    "value_drop": "learner.critic_help:DropConfig",
    "shadow": "learner.live_shadow:ShadowConfig",
    "mix": "learner.mix:MixConfig",
    "condition": "learner.algorithms.recap:ConditionConfig",
    "judge": "learner.judge_bench:JudgeConfig",
    "fast_gate": "learner.fast_gate:FastGateConfig",
    "gate": "learner.verdict:GateConfig",
    "console": "console.config:ConsoleConfig",
    "history": "console.history.history:HistoryConfig",
    "fleet_watch": "console.history.fleet_watch:FleetWatchConfig",
    "fleet": "infra.fleet:FleetConfig",
    "demo": "demo.options:DemoConfig",
    "chaos": "chaos.options:ChaosConfig",
}


def section_class(name: str) -> type:
    """The dataclass of a section, imported now."""
    module, _, attribute = SECTIONS[name].partition(":")
    found: type = getattr(importlib.import_module(module), attribute)
    return found


def refuse_unknown(table: Mapping[str, object], environ: Mapping[str, str], source: str) -> None:
    """Refuse a section that no class has, in a file's tables or in variables TOUCHLINE_SECTION__FIELD.

    Raises:
        ConfigError: names it, where it stands, and the nearest section.
    """
    named = {name: source for name in table}
    for variable in environ:
        section, separator, _ = variable.removeprefix("TOUCHLINE_").partition("__")
        if variable.startswith("TOUCHLINE_") and separator:
            named[section.lower()] = variable
    for name, where in named.items():
        if name not in SECTIONS:
            meant = config.nearest(name, list(SECTIONS))
            hint = f"did you mean {meant!r}?" if meant else f"valid are: {', '.join(SECTIONS)}"
            raise ConfigError(f"unknown section [{name}] in {where}; {hint}")
