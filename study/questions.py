"""All questions, and the words in which each was asked before it ran."""

import inspect
from types import ModuleType

from study import question_a, question_b, question_c, question_d, question_e, question_f, question_g
from study.plan import Question

_MODULES: tuple[ModuleType, ...] = (
    question_a,
    question_b,
    question_c,
    question_d,
    question_e,
    question_f,
    question_g,
)
QUESTIONS: dict[str, Question] = {module.QUESTION.name: module.QUESTION for module in _MODULES}
"""By name."""


def words(name: str) -> list[str]:
    """What a question's file says above its code, but for the first line, which is the title."""
    (module,) = (module for module in _MODULES if module.QUESTION.name == name)
    _, *said = inspect.cleandoc(module.__doc__ or "").splitlines()
    return said
