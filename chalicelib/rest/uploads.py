"""Uploads: a signed form for one file of a pipeline."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib import errors, pipelines, uploading
from chalicelib.rest.registration import endpoint


class StartUpload(Struct, forbid_unknown_fields=True):
    """Ask for a form: the file's own name, and its size in bytes."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    size: Annotated[int, Meta(ge=1, le=uploading.MOST_BYTES)]


class UploadAnswer(Struct):
    """Post `fields`, then the file as `file`, as multipart/form-data to `url`, before `expires`."""

    url: str
    fields: dict[str, str]
    key: str
    expires: str


@endpoint(
    "POST",
    "/pipelines/{pipeline}/uploads",
    "Get a signed form that puts one file where the pipeline finds it",
    body=StartUpload,
    answer=UploadAnswer,
    status=(201,),
    raises=(errors.InvalidRequest, errors.UnknownPipeline),
)
def start_upload(pipeline: str, body: StartUpload) -> UploadAnswer:
    """Sign a form."""
    return UploadAnswer(**asdict(uploading.form(pipelines.named(pipeline), body.name, body.size)))
