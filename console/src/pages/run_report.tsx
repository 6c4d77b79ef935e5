/** The validation report of a run whose file, or rows of it, went to quarantine. */
import type { JSX } from "preact";

import { bytes, count } from "../format";
import { Card, Copy, Nothing } from "../parts/basics";
import { href } from "../route";
import type { OffendingRow, Quarantined } from "../types";

export function Report({ held }: { held: Quarantined }): JSX.Element {
  return (
    <Card title={held.kind === "file" ? "Why the file was rejected" : "Rows that were set aside"} id="report">
      <p>{held.reason}</p>
      <Held held={held} />
      {held.offending && held.offending.length > 0 && <Offending rows={held.offending} held={held} />}
    </Card>
  );
}

function Held({ held }: { held: Quarantined }): JSX.Element {
  return (
    <p class="faint held">
      Kept at <span class="mono">{held.held}</span> <Copy text={held.held} what="where it is kept" /> ({bytes(held.bytes)})
      {held.requeued.length > 0 && (
        <>
          ; put back by{" "}
          {held.requeued.map((name, index) => (
            <span key={name}>
              {index > 0 && ", "}
              <a href={href("runs", name)}>{name}</a>
            </span>
          ))}
        </>
      )}
    </p>
  );
}

function Offending({ rows, held }: { rows: OffendingRow[]; held: Quarantined }): JSX.Element {
  const raw = rows.some((row) => row.raw !== null);
  return (
    <>
      <div class="scroll" role="region" aria-label="Offending rows" tabIndex={0}>
        <table class="rows offending">
          <thead>
            <tr>
              <th scope="col" class="right">Line</th>
              <th scope="col">Column</th>
              <th scope="col">What is wrong</th>
              {raw && <th scope="col">The row as it is in the file</th>}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.row}>
                <td data-label="Line" class="right number">{row.line === null ? `row ${count(row.row)}` : count(row.line)}</td>
                <td data-label="Column" class="mono">{row.column === null ? <Nothing means="the whole row" /> : <bdi>{row.column}</bdi>}</td>
                <td><bdi>{row.message}</bdi> <span class="faint">{row.rule}</span></td>
                {raw && <td class="mono raw"><bdi>{row.raw ?? <Nothing means="not kept" />}</bdi></td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length < held.bad_rows && <p class="faint table-note">The first {count(rows.length)} of {count(held.bad_rows)}{held.kind === "rows" ? "; the reject file has the rest" : ""}.</p>}
    </>
  );
}
