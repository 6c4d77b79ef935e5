/** What landed and what became of it; what is in quarantine; what should have landed and did not. */
import type { JSX } from "preact";

import * as api from "../api";
import { bytes, count, fileName } from "../format";
import { type Live, useLive } from "../live";
import { Empty, Nothing, Skeleton, Time, Trouble } from "../parts/basics";
import { Choice, Filters } from "../parts/filters";
import { LiveMark } from "../parts/live_mark";
import { OutcomeBadge } from "../parts/outcome";
import { Pager } from "../parts/pager";
import { href, refine, route } from "../route";
import type { LandedFile, Quarantined } from "../types";
import { Expected } from "./expected";
import { useWaits, waitingRuns } from "./waits";

const VIEWS: [string, string][] = [["", "Landed"], ["quarantine", "In quarantine"], ["expected", "Missing or late"]];

export function Files(): JSX.Element {
  const { show = "", pipeline, next, all } = route.value.query;
  const names = useLive((stop) => api.pipelines(stop), null, []);
  const every = next ? null : 5000;
  const landed = useLive((stop) => (show ? nothing() : api.files({ pipeline, next, limit: 50 }, stop)), show ? null : every, [show, pipeline, next]);
  const held = useLive((stop) => (show === "quarantine" ? api.quarantine({ pipeline, next, all, limit: 50 }, stop) : nothing()), show === "quarantine" ? every : null, [show, pipeline, next, all]);
  const due = useLive((stop) => (show === "expected" ? api.serviceLevels(stop) : nothing()), show === "expected" ? 15_000 : null, [show]);
  const shown = show === "quarantine" ? held : show === "expected" ? due : landed;
  return (
    <>
      <header class="page-head">
        <h1>Files</h1>
        <LiveMark live={shown} on={!next} />
        <p class="lead">What landed, what happened to it, and where its rows are now.</p>
      </header>
      <div class="filters">
        <nav class="views" aria-label="Which files">
          {VIEWS.map(([value, word]) => (
            <a key={value} href={href("files", "", { show: value, pipeline })} aria-current={show === value ? "page" : undefined}>{word}</a>
          ))}
        </nav>
        {show !== "expected" && (
          <Filters title="Of which pipeline">
            <Choice name="Pipeline" value={pipeline} onChange={(value) => refine({ pipeline: value, next: undefined })}
              options={[["", "all"], ...(names.data?.pipelines ?? []).filter((each) => each.kind === "file").map((each): [string, string] => [each.name, each.name])]} />
          </Filters>
        )}
      </div>
      {show === "quarantine" ? <Quarantine found={held} /> : show === "expected" ? <Expected found={due} /> : <Landed found={landed} />}
    </>
  );
}

const nothing = (): Promise<null> => Promise.resolve(null);

function Landed({ found }: { found: Live<{ files: LandedFile[]; next: string | null; truncated: boolean } | null> }): JSX.Element {
  const { pipeline, next } = route.value.query;
  useWaits();
  if (!found.data) return found.problem ? <Trouble what="The files cannot be listed" problem={found.problem} again={found.again} /> : <Skeleton lines={8} tall />;
  const { files } = found.data;
  if (!files.length && !next) {
    return (
      <Empty icon="file" title="No file has landed">
        <p>Open <a href={href("pipelines", pipeline ?? "")}>{pipeline ? `the pipeline ${pipeline}` : "a pipeline"}</a> and drop one there.</p>
      </Empty>
    );
  }
  return (
    <>
      <div class="scroll" role="region" aria-label="Files" tabIndex={0}>
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">What happened</th>
              <th scope="col">Pipeline</th>
              <th scope="col" class="right">Size</th>
              <th scope="col" class="right">Landed</th>
            </tr>
          </thead>
          <tbody>
            {files.map((file) => (
              <tr key={`${file.pipeline} ${file.key}`}>
                <td class="grow">
                  <a class="row-link" href={href("files", file.key, { pipeline: file.pipeline })}><bdi class="cut" title={file.key}>{fileName(file.key)}</bdi></a>
                  <bdi class="under cut mono" title={file.key}>{file.key}</bdi>
                </td>
                <td data-label="Outcome">
                  {file.run && file.outcome ? <a href={href("runs", file.run)}><OutcomeBadge outcome={file.outcome} waits={waitingRuns.value.has(file.run)} /></a> : <span class="faint">no run yet</span>}
                </td>
                <td data-label="Pipeline"><a href={href("pipelines", file.pipeline)}>{file.pipeline}</a></td>
                <td data-label="Size" class="right number">{bytes(file.size)}</td>
                <td data-label={file.quarantined ? "Rejected" : "Landed"} class="right">{file.quarantined ? <><span class="wide-only faint">rejected </span><Time iso={file.quarantined} /></> : <Time iso={file.landed} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pager next={found.data.next} shown={files.length} word="file" />
      {found.data.truncated && <p class="faint">A pipeline has more files than can be sorted by time; some are left out.</p>}
    </>
  );
}

function Quarantine({ found }: { found: Live<{ quarantine: Quarantined[]; next: string | null } | null> }): JSX.Element {
  const { all } = route.value.query;
  if (!found.data) return found.problem ? <Trouble what="The quarantine cannot be listed" problem={found.problem} again={found.again} /> : <Skeleton lines={8} tall />;
  const held = found.data.quarantine;
  return (
    <>
      <label class="check">
        <input type="checkbox" checked={all === "true"} onChange={(event) => refine({ all: event.currentTarget.checked ? "true" : undefined, next: undefined })} /> also what was put back
      </label>
      {!held.length && <Empty icon="done" title="Nothing is in quarantine" />}
      {held.length > 0 && (
        <div class="scroll" role="region" aria-label="Quarantine" tabIndex={0}>
          <table class="rows">
            <thead>
              <tr>
                <th scope="col">File</th>
                <th scope="col">Held</th>
                <th scope="col">Pipeline</th>
                <th scope="col" class="right">Bad rows</th>
                <th scope="col" class="right">Since</th>
              </tr>
            </thead>
            <tbody>
              {held.map((entry) => (
                <tr key={entry.run}>
                  <td class="grow">
                    <a class="row-link" href={href("runs", entry.run)}><bdi class="cut" title={entry.file}>{fileName(entry.file)}</bdi></a>
                    <span class="under reason">{entry.reason}</span>
                  </td>
                  <td data-label="Held">{entry.kind === "file" ? "the file" : "rows of it"}{entry.requeued.length > 0 && <span class="under">put back</span>}</td>
                  <td data-label="Pipeline"><a href={href("pipelines", entry.pipeline)}>{entry.pipeline}</a></td>
                  <td data-label="Bad rows" class="right number">{entry.bad_rows ? `${count(entry.bad_rows)} of ${count(entry.rows)}` : <Nothing />}</td>
                  <td data-label="Since" class="right"><Time iso={entry.since} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pager next={found.data.next} shown={held.length} word="file" />
    </>
  );
}
