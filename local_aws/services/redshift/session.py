"""One client's connection: what PostgreSQL can't do of what it says is done here."""

from __future__ import annotations

import logging
import re
import select
import selectors
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.services.redshift import lateral_aliases, wire
from local_aws.services.redshift.columns import COLUMNS_OF, table_of
from local_aws.services.redshift.commands import (
    Copy,
    Unload,
    UnsupportedOptionError,
    copy_command,
    unload_command,
)
from local_aws.services.redshift.dialect import NOTHING, translated
from local_aws.services.redshift.failures import WarehouseError, in_redshift_words
from local_aws.services.redshift.load import Load
from local_aws.services.redshift.masking import Masked
from local_aws.services.redshift.unload import Rows, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.services.redshift.load_errors import LoadErrors
    from local_aws.services.redshift.objects import Objects
    from local_aws.services.redshift.wire import Channel

log = logging.getLogger(__name__)

IDLE, IN_TRANSACTION, FAILED = b"I", b"T", b"E"
COPY_PIECE = 64 * 1024

_FIRST_WORD = re.compile(r"\s*(\w+)")
_CASE_SETTING = re.compile(
    r"^\s*(?:SET\s+(?:SESSION\s+|LOCAL\s+)?enable_case_sensitive_identifier\s*(?:TO|=)\s*(\S+?)|"
    r"RESET\s+enable_case_sensitive_identifier)\s*;?\s*$",
    re.IGNORECASE,
)
_MISSING_COLUMN = re.compile(r'column "([^"]+)" does not exist')
_BIND_UNNAMED = wire.message(b"B", b"\0\0" + b"\0\0" * 3)
_EXECUTE_UNNAMED = wire.message(b"E", b"\0" + b"\0" * 4)
_FAIL = "SELECT 1/0"  # any failure will do: its fields are replaced


@dataclass(frozen=True)
class Statement:
    """A statement as prepared: what PostgreSQL was given, and what is to be done besides."""

    text: str
    copy: Copy | None = None
    unload: Unload | None = None
    truncate: bool = False
    failure: WarehouseError | None = None

    @property
    def is_plain(self) -> bool:
        """Whether PostgreSQL alone can carry it out."""
        return self.copy is None and self.unload is None and not self.truncate and self.failure is None


def understood(sql: str, *, case_sensitive: bool) -> Statement:
    """Return what one statement asks for."""
    first = _FIRST_WORD.match(sql)
    word = first[1].upper() if first else ""
    if word not in {"COPY", "UNLOAD", "TRUNCATE"} and not sql.lstrip().startswith(("--", "/*")):
        return Statement(translated(sql, case_sensitive=case_sensitive))
    masked = Masked(sql)
    if not case_sensitive:
        masked.fold()
    try:
        copy, unload = copy_command(masked), unload_command(masked)
    except UnsupportedOptionError as error:
        return Statement(NOTHING, failure=WarehouseError(str(error), code="0A000"))
    if copy:
        return Statement(copy.statement, copy=copy)
    if unload:
        query = translated(unload.query, case_sensitive=case_sensitive)
        return Statement(f"COPY ({query}) TO STDOUT (FORMAT csv)", unload=unload)
    return Statement(
        translated(sql, case_sensitive=case_sensitive),
        truncate=masked.text.lstrip()[:8].upper() == "TRUNCATE",
    )


class Session:
    """A client that has signed in, until it leaves."""

    def __init__(
        self,
        client: Channel,
        server: Channel,
        objects: Objects,
        load_errors: LoadErrors,
        database: str,
        process: int,
    ) -> None:
        self._client = client
        self._server = server
        self._objects = objects
        self._load_errors = load_errors
        self._database = database
        self._process = process
        self._server_has_more = select.poll()
        self._server_has_more.register(server, select.POLLIN)
        self._status = IDLE
        self._case_sensitive = False
        self._statements: dict[str, Statement] = {}
        self._portals: dict[str, Statement] = {}
        self._held = bytearray()  # messages of the client that PostgreSQL hasn't got yet
        self._expected = 0  # ReadyForQuery messages that are still to come
        self._told_failure = False
        self._last_count = 0
        self._failure: WarehouseError | None = None  # takes the place of PostgreSQL's next error

    def run(self) -> None:
        """Serve until either side leaves.

        Raises:
            ConnectionError: one side has gone.
        """
        with selectors.DefaultSelector() as ready:
            ready.register(self._client, selectors.EVENT_READ)
            ready.register(self._server, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._client:
                        self._client.receive()
                        if not self._take_client_messages():
                            return
                    elif not self._server_is_drained():
                        self._server.receive()
                        self._pass_to_client()

    def _server_is_drained(self) -> bool:
        """Whether a statement carried out meanwhile has taken what made the server's socket readable."""
        return not self._server_has_more.poll(0)

    def _take_client_messages(self) -> bool:
        for kind, whole in self._client.complete():
            if kind == b"X":
                self._server.send(whole)
                return False
            handler = _HANDLERS.get(kind)
            if handler:
                handler(self, whole)
            else:
                self._held += whole
            if kind == b"S":
                self._expected += 1
                self._release()
        self._release()
        return True

    def _release(self) -> None:
        """Send what was held back."""
        if self._held:
            data, self._held = bytes(self._held), bytearray()
            self._server.send(data)

    # What the client says ------------------------------------------------------------------------------

    def _parse(self, whole: bytes) -> None:
        name, offset = wire.zero_ended(whole, 5)
        sql, offset = wire.zero_ended(whole, offset)
        statement = understood(sql, case_sensitive=self._case_sensitive)
        if statement.is_plain and not self._held and lateral_aliases.may_have(statement.text):
            statement = Statement(self._without_lateral_aliases(statement.text, whole[offset:]))
        self._statements[name] = statement
        self._held += wire.parse(name, statement.text, whole[offset:])

    def _bind(self, whole: bytes) -> None:
        portal, offset = wire.zero_ended(whole, 5)
        name, _ = wire.zero_ended(whole, offset)
        statement = self._statements.get(name)
        if statement:
            self._portals[portal] = statement
        self._held += whole

    def _close(self, whole: bytes) -> None:
        name, _ = wire.zero_ended(whole, 6)
        (self._statements if whole[5:6] == b"S" else self._portals).pop(name, None)
        self._held += whole

    def _execute(self, whole: bytes) -> None:
        portal, _ = wire.zero_ended(whole, 5)
        statement = self._portals.get(portal)
        if statement is None or statement.is_plain:
            if statement is not None:
                self._before(statement.text)
            self._held += whole
            return
        self._special(statement, whole, extended=True)

    def _query(self, whole: bytes) -> None:
        sql, _ = wire.zero_ended(whole, 5)
        masked = Masked(sql)
        pieces = masked.statements()
        statements = [understood(piece, case_sensitive=self._case_sensitive) for piece in pieces]
        if all(statement.is_plain for statement in statements):
            for statement in statements:
                self._before(statement.text)
            text = "; ".join(statement.text for statement in statements)
            if len(statements) == 1 and lateral_aliases.may_have(text):
                text = self._without_lateral_aliases(text, b"\0\0")
            self._held += wire.query(text)
            self._expected += 1
            return
        self._one_by_one(statements)

    def _one_by_one(self, statements: list[Statement]) -> None:
        """Carry out the statements of one Query; one ReadyForQuery follows the last or the first failure."""
        self._told_failure = False
        for index, statement in enumerate(statements):
            message = wire.query(statement.text)
            if statement.is_plain:
                self._held += message
                self._release()
            else:
                self._special(statement, message, extended=False)
            failed, ready = self._until_ready()
            if failed or index == len(statements) - 1:
                self._client.send(ready)
                return

    def _until_ready(self) -> tuple[bool, bytes]:
        while True:
            kind, whole = self._server.next()
            if kind == b"Z":
                self._status = whole[5:6]
                return self._told_failure, whole
            if kind == b"E":
                self._tell_failure(whole)
            else:
                self._client.send(whole)

    def _before(self, text: str) -> None:
        """Learn a setting that changes how statements are read; tell PostgreSQL what only we know."""
        if "pg_last_copy_count" in text:
            self._ask(f"SET rs.last_copy_count = {self._last_count}")
        found = _CASE_SETTING.match(text.replace("rs.", "", 1))
        if found:
            self._case_sensitive = (found[1] or "off").strip("'\"").lower() in {"true", "on", "1"}

    def _tell_failure(self, whole: bytes) -> None:
        self._told_failure = True
        self._client.send(self._in_redshift_words(whole))

    # What PostgreSQL says ------------------------------------------------------------------------------

    def _pass_to_client(self) -> None:
        out = bytearray()
        for kind, whole in self._server.complete():
            if kind == b"Z":
                self._status = whole[5:6]
                self._expected -= 1
                out += whole
            elif kind == b"E":
                out += self._in_redshift_words(whole)
            else:
                out += whole
        self._client.send(bytes(out))

    def _in_redshift_words(self, whole: bytes) -> bytes:
        failure, self._failure = self._failure, None
        if failure:
            return wire.failure(failure.fields())
        named = wire.fields(whole[5:])
        translated_fields = in_redshift_words(named, self._process)
        return whole if translated_fields is named else wire.failure(translated_fields)

    # Statements that PostgreSQL can't carry out alone ----------------------------------------------------

    def _special(self, statement: Statement, message: bytes, *, extended: bool) -> None:
        if self._status == FAILED:
            self._send_with_flush(message, extended=extended)  # PostgreSQL refuses it in its own words
        elif statement.failure:
            self._fail(statement.failure, extended=extended)
        elif statement.copy:
            self._copy(statement.copy, message, extended=extended)
        elif statement.unload:
            self._unload(statement, message, extended=extended)
        else:
            self._truncate(message, extended=extended)

    def _send_with_flush(self, message: bytes, *, extended: bool) -> None:
        self._held += message
        if extended:
            self._held += wire.FLUSH
        self._release()

    def _fail(self, failure: WarehouseError, *, extended: bool) -> None:
        """Make the client's own transaction fail with this failure."""
        if extended:
            self._client_answers_of_held()
            self._failure = failure
            self._server.send(_run_unnamed(_FAIL))
            self._answers_until(b"E", swallow=b"12")
            return
        self._failure = failure
        self._server.send(wire.query(_FAIL))

    def _answers_until(self, ends: bytes, *, swallow: bytes = b"") -> tuple[bytes, bytes]:
        """Pass answers to the client until one of the kinds in `ends`, which is returned and not passed.

        An error always ends; it is passed on, in Redshift's words.
        """
        while True:
            kind, whole = self._server.next()
            if kind in ends and kind != b"E":
                return kind, whole
            if kind == b"E":
                self._tell_failure(whole)
                return kind, whole
            if kind not in swallow:
                self._client.send(whole)

    def _copy(self, copy: Copy, message: bytes, *, extended: bool) -> None:
        described = self._ask(COLUMNS_OF.format(table=copy.table.replace("'", "''")))
        load = None
        try:
            if described:
                table = table_of(described, copy)
                load = Load(copy, table, self._objects.of_role(copy.role))
        except WarehouseError as error:
            self._fail(error, extended=extended)
            return
        if load is not None and (copy.columns is not None or len(table.columns) != len(described or ())):
            message = self._with_columns(copy, table.column_list, extended=extended)
        self._send_with_flush(message, extended=extended)
        kind, _ = self._answers_until(b"G")
        if kind == b"G" and load is not None:
            self._stream(load, table.number, table.name, extended=extended)

    def _with_columns(self, copy: Copy, columns: str, *, extended: bool) -> bytes:
        """Return what runs a COPY of some columns; they were unknown when it was prepared."""
        text = f"COPY {copy.table} {columns} FROM STDIN (FORMAT csv)"
        if not extended:
            return wire.query(text)
        self._client_answers_of_held()
        self._server.send(wire.parse("", text) + _BIND_UNNAMED + wire.FLUSH)
        for _ in range(2):
            self._server.next()  # ParseComplete and BindComplete are nothing to the client
        return _EXECUTE_UNNAMED

    def _client_answers_of_held(self) -> None:
        """Have PostgreSQL do what the client sent before, and pass its answers on."""
        expected = sum(kind in b"PBDC" for kind, _ in _messages(bytes(self._held)))
        self._held += wire.FLUSH
        self._release()
        while expected:
            kind, whole = self._server.next()
            if kind == b"E":
                self._tell_failure(whole)
                return
            self._client.send(whole)
            expected -= kind in b"123nT"

    def _stream(self, load: Load, number: int, name: str, *, extended: bool) -> None:
        failure = self._send_rows(load)
        if failure:
            self._failure = failure
            self._server.send(wire.message(b"f", failure.message.encode()[:1000] + b"\0"))
        else:
            self._server.send(wire.COPY_DONE)
        if extended:
            self._server.send(wire.FLUSH)
        self._end_of_copy(load, number, name)

    def _send_rows(self, load: Load) -> WarehouseError | None:
        try:
            for data in load:
                view = memoryview(data)
                for start in range(0, len(view), COPY_PIECE):
                    self._server.send(wire.message(b"d", bytes(view[start : start + COPY_PIECE])))
                if not self._server_is_drained():
                    return None  # PostgreSQL has refused a row already; the rest would be thrown away
        except WarehouseError as error:
            return error
        except ConnectionError:
            raise
        except (
            Exception
        ) as error:  # whatever a reader raises is the statement's failure, not the connection's end
            log.exception("COPY failed in an unforeseen way")
            return WarehouseError(f"the local warehouse can't read the source: {error!r}")
        return None

    def _end_of_copy(self, load: Load, number: int, name: str) -> None:
        while True:
            kind, whole = self._server.next()
            if kind == b"C":
                count = whole[5:-1].decode().rpartition(" ")[2]
                self._last_count = int(count)
                told = f"Load into table '{name}' completed, {count} record(s) loaded successfully."
                self._client.send(
                    wire.failure({"S": "INFO", "V": "INFO", "C": "00000", "M": told}, b"N") + whole
                )
                return
            if kind == b"E":
                if self._failure is None and load.blame(wire.fields(whole[5:])):
                    self._failure = load.failure()
                if load.error:
                    self._load_errors.add(self._database, number, self._process, load.error)
                self._tell_failure(whole)
                return
            self._client.send(whole)

    def _unload(self, statement: Statement, message: bytes, *, extended: bool) -> None:
        assert statement.unload is not None
        query = statement.text.removeprefix("COPY (").removesuffix(") TO STDOUT (FORMAT csv)")
        described = self._describe(query)
        self._send_with_flush(message, extended=extended)
        kind, _ = self._answers_until(b"H")
        if kind != b"H" or described is None:
            return
        rows = Rows(self._server)
        failure = None
        try:
            write(statement.unload, described, rows, self._objects.of_role(statement.unload.role))
        except WarehouseError as error:
            failure = error
        except ConnectionError:
            raise
        except (
            Exception
        ) as error:  # whatever a writer raises is the statement's failure, not the connection's end
            log.exception("UNLOAD failed in an unforeseen way")
            failure = WarehouseError(f"the local warehouse can't write the target: {error!r}")
        rows.drain()
        if rows.error is not None:
            self._tell_failure(rows.error)
            return
        kind, whole = self._server.next()
        if failure is None:
            self._client.send(wire.message(b"C", b"UNLOAD\0") if kind == b"C" else whole)
            return
        if not extended:
            self._server_ready()
        self._fail(failure, extended=extended)

    def _server_ready(self) -> None:
        while self._server.next()[0] != b"Z":
            pass

    def _truncate(self, message: bytes, *, extended: bool) -> None:
        """TRUNCATE commits the transaction that it runs in."""
        self._send_with_flush(message, extended=extended)
        kind, done = self._answers_until(b"C")
        if kind == b"E":
            return
        if extended and self._status == IN_TRANSACTION:
            self._server.send(_run_unnamed("COMMIT"))
            self._answers_until(b"C", swallow=b"12")
        elif not extended:
            kind, ready = self._server.next()
            if ready[5:6] == IN_TRANSACTION:
                self._server.send(wire.query("COMMIT"))
                self._answers_until(b"C")
            else:
                self._server.send(wire.query(""))
                self._server.next()
        self._client.send(done)

    # Questions of our own ------------------------------------------------------------------------------

    def _ask(self, sql: str) -> list[list[str | None]] | None:
        """Return the rows of a query in the client's own session, or None when it fails.

        A failure would end the client's transaction; it does so anyway, with the statement that is asked for.
        """
        guarded = self._status == IN_TRANSACTION
        if guarded:
            sql = f"SAVEPOINT rs_question; {sql}; RELEASE rs_question"
        self._server.send(wire.query(sql))
        rows: list[list[str | None]] = []
        failed = False
        while True:
            kind, whole = self._server.next()
            if kind == b"D":
                rows.append(wire.data_row(whole[5:]))
            elif kind == b"E":
                failed = True
            elif kind == b"Z":
                break
        if failed and guarded:
            self._server.send(wire.query("ROLLBACK TO rs_question; RELEASE rs_question"))
            self._server_ready()
        return None if failed else rows

    def _describe(self, sql: str) -> list[tuple[str, int, int]] | None:
        """Return the columns of a query, or None when PostgreSQL refuses it."""
        described, _ = self._prepared(sql, b"\0\0")
        return described

    def _prepared(
        self, sql: str, parameters: bytes
    ) -> tuple[list[tuple[str, int, int]] | None, dict[str, str]]:
        guarded = self._status == IN_TRANSACTION
        if guarded:
            self._server.send(wire.query("SAVEPOINT rs_question"))
            self._server_ready()
        describe = wire.message(b"D", b"Srs_question\0")
        close = wire.message(b"C", b"Srs_question\0")
        self._server.send(wire.parse("rs_question", sql, parameters) + describe + close + wire.SYNC)
        columns: list[tuple[str, int, int]] | None = []
        refused: dict[str, str] = {}
        while True:
            kind, whole = self._server.next()
            if kind == b"T":
                columns = wire.row_description(whole[5:])
            elif kind == b"E":
                columns, refused = None, wire.fields(whole[5:])
            elif kind == b"Z":
                break
        if guarded:
            self._server.send(wire.query("ROLLBACK TO rs_question; RELEASE rs_question"))
            self._server_ready()
        return columns, refused

    def _without_lateral_aliases(self, sql: str, parameters: bytes) -> str:
        """Return the statement with each alias that is no column replaced by its expression."""
        if self._status == FAILED or self._expected:
            return sql
        for _ in range(16):  # one alias a turn
            _, refused = self._prepared(sql, parameters)
            missing = _MISSING_COLUMN.search(refused.get("M", "")) if refused.get("C") == "42703" else None
            expanded = lateral_aliases.expanded(sql, missing[1]) if missing else None
            if expanded is None:
                return sql
            sql = expanded
        return sql


def _run_unnamed(sql: str) -> bytes:
    return wire.parse("", sql) + _BIND_UNNAMED + _EXECUTE_UNNAMED + wire.FLUSH


def _messages(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while offset < len(data):
        (length,) = struct.unpack_from("!i", data, offset + 1)
        yield data[offset : offset + 1], data[offset : offset + 1 + length]
        offset += 1 + length


_HANDLERS = {
    b"P": Session._parse,  # noqa: SLF001 - a table of this class's own methods
    b"B": Session._bind,  # noqa: SLF001
    b"C": Session._close,  # noqa: SLF001
    b"E": Session._execute,  # noqa: SLF001
    b"Q": Session._query,  # noqa: SLF001
}
