"""State machines, their versions, aliases and tags: what the API creates and changes."""

from __future__ import annotations

import pickle
import random
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from moto.stepfunctions import urls
from moto.stepfunctions.models import (
    StateMachine,
    StateMachineVersion,
    StepFunctionBackend,
    stepfunctions_backends,
)

from local_aws.services.step_functions import definitions
from local_aws.services.step_functions.errors import (
    MissingRequiredParameter,
    StateMachineAlreadyExists,
    ValidationException,
)
from local_aws.services.step_functions.names import check_name
from local_aws.services.step_functions.record import EXPRESS, STANDARD

if TYPE_CHECKING:
    from local_aws.services.step_functions.engine import Engine

ALIASED_COLONS = 7  # arn:aws:states:region:account:stateMachine:name:alias


class LocalStateMachine(StateMachine):
    """A state machine that can be stored without its backend."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"backend": None, "executions": []}


class LocalStepFunctionsBackend(StepFunctionBackend):
    """The state machines of one account and region, stored before a change is acknowledged."""

    engine: ClassVar[Engine]
    _changing: ClassVar[threading.RLock] = threading.RLock()

    @property
    def _url_module(self) -> Any:
        return urls

    def create_state_machine(self, name: str, definition: str, roleArn: str, **options: Any) -> StateMachine:  # noqa: N803 - moto's interface
        """Create a state machine, or return the one that is the same already.

        Raises:
            InvalidDefinition: it could not run.
            StateMachineAlreadyExists: the name is taken by another definition or type.

        """
        check_name(name)
        self._validate_role_arn(roleArn)
        kind = options.get("sm_type") or STANDARD
        if kind not in {STANDARD, EXPRESS}:
            raise ValidationException(f"The type '{kind}' is neither STANDARD nor EXPRESS")
        definitions.check(definition, kind)
        with self._changing:
            arn = f"arn:{self.partition}:states:{self.region_name}:{self.account_id}:stateMachine:{name}"
            machine = next((known for known in self.state_machines if known.arn == arn), None)
            if machine is None:
                machine = self._created(arn, name, definition, roleArn, kind, options)
            elif _differs(machine, definition, kind, options):
                raise StateMachineAlreadyExists(f"State Machine Already Exists: '{arn}'")
            self.save()
            return machine

    def _created(
        self, arn: str, name: str, definition: str, role: str, kind: str, options: dict[str, Any]
    ) -> StateMachine:
        machine = LocalStateMachine(
            arn,
            name,
            definition,
            role,
            self,
            options.get("encryptionConfiguration"),
            options.get("loggingConfiguration"),
            options.get("tracingConfiguration"),
            sm_type=kind,
        )
        machine.sm_type = kind
        if options.get("publish"):
            machine.publish(description=options.get("version_description"))
        if options.get("tags"):
            self.tagger.tag_resource(arn, options["tags"])
        self.state_machines.append(machine)
        return machine

    def update_state_machine(self, arn: str, definition: str | None = None, **changes: Any) -> StateMachine:
        """Change a state machine; running executions keep what they started with."""
        given = {key: value for key, value in changes.items() if value not in (None, {})}
        if definition is None and not given:
            raise MissingRequiredParameter(
                "Either the definition, the role ARN or a configuration must be specified"
            )
        with self._changing:
            if definition is not None:
                definitions.check(definition, self.describe_state_machine(arn).type)
            machine = super().update_state_machine(arn, definition, **changes)
            self.save()
            return machine

    def delete_state_machine(self, arn: str) -> None:
        """Delete a state machine; its executions stay."""
        with self._changing:
            super().delete_state_machine(arn)
            self.tagger.delete_all_tags_for_resource(arn)
            self.save()

    def published(self, arn: str, description: str | None) -> StateMachineVersion:
        """Publish the state machine as its next version, unless the newest is the same."""
        with self._changing:
            machine = self.describe_state_machine(arn)
            latest = machine.latest_version
            if latest is None or (latest.definition, latest.roleArn) != (machine.definition, machine.roleArn):
                machine.publish(description)
            self.save()
            assert machine.latest_version
            return machine.latest_version

    def start_execution(self, state_machine_arn: str, name: str, execution_input: str) -> Any:
        """Start an execution, for the parts of moto that do so without the API."""
        machine, alias = self.startable(state_machine_arn)
        return self.engine.begin(machine, name or None, execution_input or "{}", alias_arn=alias)

    def startable(self, arn: str) -> tuple[StateMachine, str | None]:
        """Return the state machine or version that `arn` would run, and the alias if it is one."""
        alias_name = arn.rpartition(":")[2]
        if arn.count(":") == ALIASED_COLONS and not alias_name.isnumeric():
            alias = self.describe_state_machine_alias(arn)
            routes = alias.routing_configuration
            [route] = random.choices(routes, weights=[route["weight"] for route in routes])  # nosec B311  # noqa: S311 - traffic shares, no secret
            return self.describe_state_machine(route["stateMachineVersionArn"]), arn
        return self.describe_state_machine(arn), None

    def save(self) -> None:
        """Store this account's state machines and activities."""
        state = pickle.dumps((self.state_machines, self.tagger))
        self.engine.journal.save_backend(self.account_id, self.region_name, state)

    def restore(self, state: bytes) -> None:
        """Take back what `save` stored."""
        self.state_machines, self.tagger = pickle.loads(state)  # nosec B301  # noqa: S301 - this project's own file
        for machine in self.state_machines:
            machine.backend = self


def restore_all(engine: Engine) -> None:
    """Take back the state machines of every account and region."""
    for account, region, state in engine.journal.backends():
        backend: Any = stepfunctions_backends[account][region]
        backend.restore(state)


def _differs(machine: StateMachine, definition: str, kind: str, options: dict[str, Any]) -> bool:
    """Compare what AWS compares: not the role and not the tags."""
    logging = options.get("loggingConfiguration") or {"level": "OFF"}
    tracing = options.get("tracingConfiguration") or {"enabled": False}
    now = (machine.definition, machine.type, machine.loggingConfiguration, machine.tracingConfiguration)
    return now != (definition, kind, logging, tracing)
