"""Words that a person gives a robot in place of its task's, until the episode ends."""

import dataclasses

from corrections.intervention import People
from policy.schema import Observation


class Instruction:
    """What one robot was told in the present episode."""

    def __init__(self) -> None:
        self._words = ""
        self._num_heeded = 0

    def begin(self, people: People) -> None:
        """An episode starts: what was said before it is over."""
        self._words, self._num_heeded = "", people.num_instructions

    def heed(self, people: People, observation: Observation) -> Observation:
        """The observation with the newest words; those of a holder count from before its episode too."""
        if people.instruction and (people.is_held or people.num_instructions != self._num_heeded):
            self._words, self._num_heeded = people.instruction, people.num_instructions
        return dataclasses.replace(observation, instruction=self._words) if self._words else observation
