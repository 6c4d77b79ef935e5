"""Athena in our verbs: read what a query found."""

from __future__ import annotations

from chalicelib.aws.client import call, client

Row = dict[str, str | None]
"""One row by column name; every value is text, as Athena gives it, or None."""


class Athena:
    """The queries of this stage."""

    def rows(self, query: str) -> list[Row]:
        """Return the result of a SELECT that has succeeded. It is held in memory: for small results.

        Args:
            query: Athena's id of the query's execution.
        """
        names: list[str] = []
        rows: list[Row] = []
        token: dict[str, str] = {}
        while True:
            answer = call(client("athena").get_query_results, QueryExecutionId=query, **token)
            cells = [
                [cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]
            ]
            if not names:  # the first row of the first page is the header
                names = [str(name) for name in cells.pop(0)]
            rows += [dict(zip(names, row, strict=True)) for row in cells]
            if not answer.get("NextToken"):
                return rows
            token = {"NextToken": answer["NextToken"]}
