"""What can go wrong, in two families: try again, and give up.

Each class's docstring is its default message. Every `TryAgain` class appears in a workflow's Retry and no
`GiveUp` class does; a test holds the workflows to it.
"""

from __future__ import annotations


class DecantError(Exception):
    """Something went wrong in Decant."""

    quotes_rows = False
    """Whether the message may quote what a file's rows hold: it is kept out of the logs then."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class TryAgain(DecantError):
    """A later attempt may succeed."""


class GiveUp(DecantError):
    """No attempt can succeed until somebody changes something."""


class Throttled(TryAgain):
    """AWS asked for a slower pace."""


class StorageIsUnreachable(TryAgain):
    """S3 broke off in the middle of the file."""


class GlueIsBusy(TryAgain):
    """The Glue job already runs as often at once as it may."""


class WarehouseIsBusy(TryAgain):
    """The warehouse could not serialize this load with another one."""


class WarehouseIsUnreachable(TryAgain):
    """The connection to the warehouse failed or broke."""


class LedgerChanged(TryAgain):
    """Another run wrote to the ledger at the same time."""


class InvalidPipeline(GiveUp):
    """A pipeline module is filled in wrongly."""


class InvalidEvent(GiveUp):
    """An event lacks something that a run needs."""


class InvalidRequest(GiveUp):
    """The request cannot be understood."""


class UnknownPipeline(GiveUp):
    """No pipeline has this name."""


class UnknownRun(GiveUp):
    """No run has this name."""


class UnknownFile(GiveUp):
    """There is no such file."""


class NotInQuarantine(GiveUp):
    """The run has nothing in quarantine."""


class UnknownWorkflow(GiveUp):
    """No pipeline runs a workflow of this name."""


class UnknownAsset(GiveUp):
    """The console has no such file."""


class BodyTooLarge(GiveUp):
    """The request's body is too long."""


class UnsupportedBody(GiveUp):
    """The request's body is not JSON."""


class RunConflict(GiveUp):
    """The run's state does not allow this."""


class GlueJobFailed(GiveUp):
    """The Glue job run failed."""

    quotes_rows = True


class GlueJobTimedOut(GiveUp):
    """The Glue job run did not end in time."""


class FileReplaced(GiveUp):
    """The key's content was replaced while a run worked on it."""


class RowsLost(GiveUp):
    """The written files hold another number of rows than the source file."""


class InvalidFile(GiveUp):
    """The file breaks its pipeline's rules."""

    quotes_rows = True


class InvalidBatch(GiveUp):
    """What has gathered for a batch lacks something or is not as declared."""

    quotes_rows = True


class MissingInput(GiveUp):
    """What a batch works on is not there."""


class WrongColumns(GiveUp):
    """The file's header is not the one that the batch reads."""

    quotes_rows = True


class TooFewRows(GiveUp):
    """Too little of the file can be used."""

    quotes_rows = True


class ContractBroken(GiveUp):
    """The file's columns break the table's contract."""

    quotes_rows = True


class LoadFailed(GiveUp):
    """The warehouse refused the load."""

    quotes_rows = True


class AlreadyPublished(GiveUp):
    """Another run published one of the files meanwhile."""


class AccessRefused(GiveUp):
    """Another account, or AWS, did not let this stage in."""


class InvalidSettings(GiveUp):
    """An environment variable is missing or wrong."""


class EmptyPrefix(GiveUp):
    """There is no file under the prefix."""


class WrongPrefix(GiveUp):
    """The prefix is not one that a batch of this pipeline may load."""
