"""Which stage of which account a deployment is about."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infrastructure.chalice_config import FUNCTIONS
from infrastructure.post_deploy import API_STAGE
from infrastructure.render import ROOT, render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infrastructure.provision import Clients


@dataclass(frozen=True, kw_only=True)
class Target:
    """One stage of one account and region, and how it is reached.

    Attributes:
        stage: the stage's name.
        client: gives the boto3 clients.
        environment: the variables that lead Chalice's own process to the same AWS.
        app: the first part of every name.
        root: the source tree.
        parameters: values of the template's parameters; one that is not given keeps its value.
    """

    stage: str
    client: Clients
    environment: Mapping[str, str]
    app: str = "decant"
    root: Path = ROOT
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What the stage's names begin with; alone it is the REST API's function."""
        return f"{self.app}-{self.stage}"

    @property
    def stack(self) -> str:
        """The name of the stage's stack."""
        return f"{self.prefix}-infra"

    @property
    def config_path(self) -> Path:
        """Where Chalice reads its configuration."""
        return self.root / ".chalice" / "config.json"

    @property
    def state_path(self) -> Path:
        """Where Chalice records what it deployed."""
        return self.root / ".chalice" / "deployed" / f"{self.stage}.json"

    @functools.cached_property
    def account(self) -> str:
        """The account's twelve digits."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @functools.cached_property
    def region(self) -> str:
        """The region's name."""
        return str(self.client("cloudformation").meta.region_name)

    @functools.cached_property
    def template(self) -> dict[str, Any]:
        """The stack's template as this source tree renders it."""
        return render(self.stage, self.root)

    @property
    def artifacts_bucket(self) -> str:
        """The bucket that holds scripts, the lock and Chalice's record."""
        return f"{self.prefix}-artifacts-{self.account}"

    @property
    def functions(self) -> list[str]:
        """The names of the functions, as Chalice deploys them."""
        return [self.prefix if name == "api_handler" else f"{self.prefix}-{name}" for name in FUNCTIONS]

    def named(self, kind: str, attribute: str) -> dict[str, str]:
        """Return the names of the template's resources of a kind, such as AWS::S3::Bucket, by logical ids."""
        given = {"App": self.app, "Stage": self.stage, "AWS::AccountId": self.account}
        return {
            name: _filled(resource["Properties"][attribute], given)
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind and attribute in resource["Properties"]
        }

    def owns(self, name: str) -> bool:
        """Tell whether a name is one of this stage's: `decant-dev` has nothing of `decant-dev2`."""
        return name == self.prefix or name.startswith(f"{self.prefix}-")

    def api_url(self, api_id: str) -> str:
        """Return where a REST API of this account answers."""
        endpoint = self.environment.get("AWS_ENDPOINT_URL")
        if endpoint:  # the embedded AWS serves APIs by path
            return f"{endpoint}/_aws/execute-api/{api_id}/{API_STAGE}"
        return f"https://{api_id}.execute-api.{self.region}.amazonaws.com/{API_STAGE}"


def _filled(name: Any, given: Mapping[str, str]) -> str:
    text = str(name["Fn::Sub"] if isinstance(name, dict) else name)
    for key, value in given.items():
        text = text.replace(f"${{{key}}}", value)
    return text
