"""Redshift's control plane: clusters whose users and databases are the local warehouse's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import moto.redshift.models as moto_models
import moto.redshift.urls
from moto.redshift.exceptions import ClusterNotFoundError, InvalidParameterValueError
from moto.redshift.models import Cluster, RedshiftBackend

from local_aws.services.redshift import administration
from local_aws.services.redshift.defaults import LOOPBACK

if TYPE_CHECKING:
    from types import ModuleType

    from local_aws.runtime import Runtime

SHORTEST, LONGEST = 900, 3600  # seconds that temporary credentials may be asked for


class LocalCluster(Cluster):
    """A cluster whose address is the local warehouse's."""

    @property
    def address(self) -> str:
        """The warehouse's host."""
        return LOOPBACK

    @property
    def port(self) -> int:
        """The warehouse's port, whatever port was asked for."""
        return administration.port()

    @port.setter
    def port(self, _: int) -> None:
        """Leave the port as it is."""

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        """Return an attribute for CloudFormation."""
        if attribute_name == "Endpoint.Address":
            return self.address
        return super().get_cfn_attribute(attribute_name)


class LocalRedshiftBackend(RedshiftBackend):
    """Clusters that clients can sign in to."""

    @property
    def _url_module(self) -> ModuleType:
        return moto.redshift.urls

    def create_cluster(self, **cluster_kwargs: Any) -> Cluster:
        """Make a cluster: its master user, its password and its database are made in the warehouse."""
        cluster = super().create_cluster(**cluster_kwargs)
        try:
            if cluster.master_username:
                administration.ensure_user(
                    cluster.master_username, cluster.master_user_password, superuser=True
                )
            administration.ensure_database(cluster.db_name)
        except BaseException:
            self.clusters.pop(cluster.cluster_identifier, None)
            raise
        return cluster

    def modify_cluster(self, **cluster_kwargs: Any) -> Cluster:
        """Change a cluster; a new master password holds from the next connection on."""
        cluster = super().modify_cluster(**cluster_kwargs)
        if cluster_kwargs.get("master_user_password"):
            administration.ensure_user(
                cluster.master_username, cluster_kwargs["master_user_password"], superuser=True
            )
        return cluster

    def get_cluster_credentials(
        self, cluster_identifier: str, db_user: str, auto_create: bool, duration_seconds: int
    ) -> dict[str, Any]:
        """Return a password that the warehouse takes until it expires."""
        if not SHORTEST <= duration_seconds <= LONGEST:
            raise InvalidParameterValueError("Token duration must be between 900 and 3600 seconds")
        if cluster_identifier not in self.clusters:
            raise ClusterNotFoundError(cluster_identifier)
        if auto_create:
            administration.ensure_user(db_user, None, superuser=False)
        password, ends = administration.passwords().issue(db_user, duration_seconds)
        return {
            "DbUser": f"{'IAMA' if auto_create else 'IAM'}:{db_user}",
            "DbPassword": password,
            "Expiration": datetime.fromtimestamp(ends, UTC),
        }


def install(runtime: Runtime) -> None:
    """Have moto make clusters of ours."""
    administration.use(runtime)
    moto_models.Cluster = LocalCluster  # the class that the backend constructs
    moto_models.redshift_backends.backend = LocalRedshiftBackend
