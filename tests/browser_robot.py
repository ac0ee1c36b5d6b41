"""Plug insertion with as much time for an episode as a person at a page needs."""

from robots.connector import ConnectorConfig
from robots.plug_insertion import PlugInsertion, PlugInsertionConfig

_NEVER_N = 1_000.0


class PatientPlugInsertion(PlugInsertion):
    """20 s instead of 6, and a connector that holds, whatever a policy that has learned next to nothing does to it."""

    def __init__(self) -> None:
        super().__init__(PlugInsertionConfig(max_steps=400, connector=ConnectorConfig(break_n=_NEVER_N)))
