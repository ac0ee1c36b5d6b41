"""The one table of what each role may say to robots; a message that is not in it comes from no browser."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from console.people.roles import Role
from corrections import help_messages, protocol
from corrections import operator_messages as messages
from corrections.codec import Message
from corrections.inspection import Inspect

LEAST_ROLE: Mapping[str, Role] = MappingProxyType(
    {
        # Seeing, and stopping: anybody who is signed in, at any time.
        messages.Watch.TYPE: Role.VIEWER,
        messages.Ping.TYPE: Role.VIEWER,
        protocol.Stop.TYPE: Role.VIEWER,
        # Helping, driving, judging.
        help_messages.Claim.TYPE: Role.OPERATOR,
        help_messages.Unclaim.TYPE: Role.OPERATOR,
        help_messages.AnswerHelp.TYPE: Role.OPERATOR,
        messages.Acquire.TYPE: Role.OPERATOR,
        messages.Renew.TYPE: Role.OPERATOR,
        messages.Release.TYPE: Role.OPERATOR,
        messages.Answer.TYPE: Role.OPERATOR,
        protocol.HumanCommand.TYPE: Role.OPERATOR,
        protocol.Instruct.TYPE: Role.OPERATOR,
        messages.LabelEpisode.TYPE: Role.OPERATOR,
        messages.MarkEpisode.TYPE: Role.OPERATOR,
        # Letting a stopped robot move again.
        protocol.ClearStop.TYPE: Role.ENGINEER,
    }
)
NOT_FOR_BROWSERS = frozenset(
    {messages.OperatorHello.TYPE, help_messages.RaiseHelp.TYPE, help_messages.Values.TYPE, Inspect.TYPE}
)
"""The console itself, and services such as the critic, say these."""


def least_role(message: Message, simulated: Collection[str] = ()) -> Role | None:
    """Who may send this; None for no browser at all.

    Args:
        message: what they say.
        simulated: robots that hurt nobody, so that an operator may also clear a stop: the device check ends so.
    """
    if isinstance(message, protocol.ClearStop) and message.robot_id in simulated:
        return Role.OPERATOR
    if isinstance(message, messages.Acquire) and message.force:
        return Role.ENGINEER
    return LEAST_ROLE.get(message.TYPE)
