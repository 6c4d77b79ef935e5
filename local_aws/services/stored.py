"""The services that moto's own code serves as it is: what they store is kept, and nothing acts on it."""

from __future__ import annotations

from local_aws.reality import Reality

REALITIES = (
    Reality(
        service="Secrets Manager and Systems Manager parameters",
        executes="Secrets, parameters and their versions are stored on disk.",
        differs=(
            "They are not encrypted on disk: put no production secret here.",
            "Rotation functions are not called.",
        ),
    ),
    Reality(
        service="Every other service that moto knows",
        executes="moto's own behaviour, saved on disk like the rest; an action it lacks is an error.",
        differs=("Nothing here was compared with AWS: the workflows and the application don't use them.",),
    ),
)
