"""What a flag of validation means to people, in one place for every notice and question."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.pipeline import Flag

MEANINGS: dict[Flag, str] = {
    "rows_quarantined": "rows went to quarantine",
    "schema_evolved": "the file has columns that the pipeline does not declare",
    "unusual_row_count": "the file has more or fewer rows than this pipeline's files usually have",
}
"""Each flag as a clause that a sentence can go on with."""
