"""Plug insertion with as much time for an episode as a person at a page needs."""

from robots.plug_insertion import PlugInsertion, PlugInsertionConfig


class PatientPlugInsertion(PlugInsertion):
    """20 s instead of 6."""

    def __init__(self) -> None:
        super().__init__(PlugInsertionConfig(max_steps=400))
