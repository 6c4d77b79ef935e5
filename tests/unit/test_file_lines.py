"""Single lines of text files in S3."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from chalicelib import file_lines
from tests.fakes import FakeS3

if TYPE_CHECKING:
    from chalicelib.files import File


def held(content: bytes, key: str = "a.csv") -> tuple[FakeS3, File]:
    s3 = FakeS3()
    s3.put("quarantine", key, content)
    return s3, s3.find("quarantine", key)


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_shown_as_they_stand_in_the_file(ends: bytes, *, packed: bool) -> None:
    content = "\ufeffid,name\n1,Zoë\n2,<b>x</b>\n3,last".encode().replace(b"\n", ends)
    s3, file = held(gzip.compress(content), "a.csv.gz") if packed else held(content)
    assert file_lines.lines_at(s3, file, {1, 3, 4, 9}) == {1: "id,name", 3: "2,<b>x</b>", 4: "3,last"}
    assert file_lines.lines_at(s3, file, set()) == {}


def test_a_line_is_cut_and_what_is_no_text_shows_none() -> None:
    (line,) = file_lines.lines_at(*held(b"x" * 5000), {1}).values()
    assert (len(line), line[-1]) == (file_lines.LONGEST_LINE + 1, "…")
    assert file_lines.lines_at(*held(b"PAR1 and so on\n"), {1}) == {}
    assert file_lines.lines_at(*held(b"1,\xff\n"), {1}) == {1: "1,\ufffd"}


def test_no_more_than_the_first_megabytes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lines, "MOST_READ", 1 << 20)
    line = b"0123456789abcde\n"
    s3, file = held(line * (3 << 16))
    assert set(file_lines.lines_at(s3, file, {1, 1 << 16, 3 << 16})) == {1, 1 << 16}
