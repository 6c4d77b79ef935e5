"""The errors of the Step Functions API, under the codes that AWS uses."""

from __future__ import annotations

from moto.core.exceptions import AWSError


class ExecutionAlreadyExists(AWSError):
    """The name is taken by another input or by a closed execution."""

    TYPE = "ExecutionAlreadyExists"


class ExecutionDoesNotExist(AWSError):
    """No execution has this ARN."""

    TYPE = "ExecutionDoesNotExist"


class ExecutionNotRedrivable(AWSError):
    """The execution cannot be restarted from where it failed."""

    TYPE = "ExecutionNotRedrivable"


class InvalidArn(AWSError):
    """The ARN is malformed or of another kind of resource."""

    TYPE = "InvalidArn"


class InvalidDefinition(AWSError):
    """The Amazon States Language document cannot run."""

    TYPE = "InvalidDefinition"


class InvalidExecutionInput(AWSError):
    """The input is not JSON."""

    TYPE = "InvalidExecutionInput"


class InvalidName(AWSError):
    """The name breaks the naming rules."""

    TYPE = "InvalidName"


class InvalidOutput(AWSError):
    """The task's output is not JSON."""

    TYPE = "InvalidOutput"


class InvalidToken(AWSError):
    """The page token or task token is unknown."""

    TYPE = "InvalidToken"


class MissingRequiredParameter(AWSError):
    """Nothing was given to change."""

    TYPE = "MissingRequiredParameter"


class ResourceNotFound(AWSError):
    """No resource has this ARN."""

    TYPE = "ResourceNotFound"


class StateMachineAlreadyExists(AWSError):
    """The name is taken by a state machine with another definition."""

    TYPE = "StateMachineAlreadyExists"


class StateMachineTypeNotSupported(AWSError):
    """The operation is for the other type of state machine."""

    TYPE = "StateMachineTypeNotSupported"


class TaskTimedOut(AWSError):
    """The task of this token has timed out or its execution has ended."""

    TYPE = "TaskTimedOut"


class ValidationException(AWSError):
    """A parameter is missing, too long or malformed."""

    TYPE = "ValidationException"
