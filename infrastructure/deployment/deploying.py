"""From an account to a running stage, in steps that may be taken again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infrastructure.chalice_config import write
from infrastructure.deployment import kept, smoke, state
from infrastructure.deployment.chalice_command import chalice
from infrastructure.deployment.package import PYTHON
from infrastructure.deployment.steps import Step
from infrastructure.deployment.tokens import Tokens
from infrastructure.post_deploy import allow_uploads, keep_dead_letters, limit_requests, tell_address
from infrastructure.provision import bring_up, upload_glue_scripts

if TYPE_CHECKING:
    from infrastructure.deployment.lock import Lock
    from infrastructure.deployment.target import Target

FIRST_TOKEN = "first"  # nosec B105  # noqa: S105 - its name


@dataclass
class Deployment:
    """What the steps learn on their way.

    Attributes:
        target: the stage.
        lock: keeps others away; the caller releases it.
        parameters: of the template: what is given, and what an earlier deployment kept of its own.
        outputs: the stack's outputs.
        api_url: where the REST API answers.
        api_token: a new bearer token of the role approver, if the stage had none.
    """

    target: Target
    lock: Lock
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    api_url: str = ""
    api_token: str | None = None

    def steps(self, *, with_smoke: bool) -> list[Step]:
        """Return what is to be done, in order."""
        stack = self.target.stack
        look = f"its events say more: aws cloudformation describe-stack-events --stack-name {stack}"
        network = "look at the message and at the network"
        steps = [
            Step(name="lock", do=self.lock.take, remedy=network),
            Step(name="what was kept", do=self._take_up, remedy=look),
            Step(name="infrastructure stack", do=self._infrastructure, remedy=look),
            # The first time there is a bucket for it only now; CloudFormation kept others away until here.
            Step(name="lock of the new stage", do=self.lock.take, remedy=network),
            Step(name="Glue scripts", do=self._glue_scripts, remedy=network),
            Step(name=".chalice/config.json", do=self._config, remedy="correct the file"),
            Step(name="Chalice's record", do=lambda: state.pull(self.target), remedy=network),
            Step(name="chalice deploy", do=self._chalice, remedy="correct what the log names"),
            Step(name="API token", do=self._token, remedy=network),
            Step(name="settings after it", do=self._settings, remedy=network),
            Step(name="REST API", do=lambda: smoke.api_answers(self.api_url), remedy=self._log("authorize")),
        ]
        if with_smoke:
            remedy = self._log("file_landed")
            steps.append(
                Step(name="smoke file", do=lambda: smoke.file_runs(self.target, self.outputs), remedy=remedy)
            )
        return steps

    def _log(self, function: str) -> str:
        return f"read its log: aws logs tail /aws/lambda/{self.target.prefix}-{function}"

    def _take_up(self) -> str:
        """Take up what an earlier deployment kept; a stack that holds it already is left alone."""
        found = kept.legacy(self.target)
        self.parameters = found.parameters
        if not found.taken_up:
            return "nothing"
        kept.take_up(self.target, found)
        return f"{len(found.taken_up)} taken up, with their data"

    def _infrastructure(self) -> str:
        target = self.target
        self.outputs = bring_up(
            target.stage,
            app=target.app,
            root=target.root,
            client=target.client,
            parameters=self.parameters,
        )
        return target.stack

    def _glue_scripts(self) -> str:
        keys = upload_glue_scripts(self.target.client, self.outputs["ArtifactsBucket"], self.target.root)
        return f"{len(keys)} in s3://{self.outputs['ArtifactsBucket']}/glue_scripts/"

    def _token(self) -> str:
        tokens = Tokens(self.target)
        if entries := tokens.entries():
            return f"{len(entries)} there already"
        self.api_token = tokens.add(FIRST_TOKEN, "approver")
        return f"made one called {FIRST_TOKEN}"

    def _config(self) -> str:
        write(self.target.config_path, self.outputs, PYTHON)
        return f"stage {self.target.stage}"

    def _chalice(self) -> str:
        target = self.target
        log = target.root / ".chalice" / "deployed" / f"{target.stage}-deploy.log"
        try:
            chalice("deploy", target.stage, project=target.root, environment=target.environment, log=log)
        finally:
            state.push(target)  # what a failed attempt recorded must not be lost either
        api = state.deployed_api(target)
        self.api_url = target.api_url(api)
        return f"{len(target.functions)} functions, REST API {api}"

    def _settings(self) -> str:
        target = self.target
        keep_dead_letters(target.stage, self.outputs["DeadLettersArn"], app=target.app, client=target.client)
        limits = limit_requests(state.deployed_api(target), client=target.client)
        uploads = allow_uploads(self.outputs["LandingBucket"], self.api_url, client=target.client)
        links = tell_address(self.outputs["ArtifactsBucket"], self.api_url, client=target.client)
        return f"{limits}; {uploads}; {links}"
