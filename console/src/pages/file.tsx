/** One file: from its key to the rows of a table. */
import type { ComponentChildren, JSX } from "preact";

import * as api from "../api";
import { bytes, count, duration, fileName, plural } from "../format";
import { useLive } from "../live";
import { Card, Copy, Empty, Facts, Nothing, Skeleton, Time, Trouble } from "../parts/basics";
import { Icon, type IconName } from "../parts/icons";
import { lookOf, OutcomeBadge } from "../parts/outcome";
import { href, route } from "../route";
import type { LineageRun } from "../types";
import { useWaits, waitingRuns } from "./waits";

export function FilePage({ fileKey }: { fileKey: string }): JSX.Element {
  const pipeline = route.value.query["pipeline"] ?? "";
  const found = useLive((stop) => api.lineage(pipeline, fileKey, stop), 5000, [pipeline, fileKey]);
  const lineage = found.data;
  useWaits();
  return (
    <>
      <header class="page-head">
        <nav class="crumbs" aria-label="Where this is">
          <a href={href("files")}>Files</a> <span aria-hidden="true">/</span> <a href={href("files", "", { pipeline })}>{pipeline}</a>
        </nav>
        <h1><bdi>{fileName(fileKey)}</bdi></h1>
      </header>
      {!lineage && (found.problem ? <Trouble what="This file cannot be followed" problem={found.problem} again={found.again} /> : <Skeleton lines={6} />)}
      {lineage && (
        <>
          <Card title="The file" id="about">
            <Facts facts={[
              ["Key", <span class="with-copy mono"><bdi>{lineage.file.key}</bdi> <Copy text={lineage.file.key} what="the key" /></span>],
              ["Pipeline", <a href={href("pipelines", pipeline)}>{pipeline}</a>],
              ["Size", lineage.file.size === null ? <Nothing means="gone from the landing bucket" /> : <span class="number">{bytes(lineage.file.size)}</span>],
              ["Landed", <Time iso={lineage.file.landed} style="full" />],
              ["Table in the catalogue", lineage.catalog_table ? <span class="mono">{lineage.catalog_table}</span> : <Nothing />],
            ]} />
          </Card>
          {!lineage.runs.length && <Empty icon="never" title="No run has worked on it"><p>The next reconcile starts one for a file that was missed.</p></Empty>}
          {lineage.runs.map((run, index) => (
            <Card key={run.name} id={`run-${index}`} title={<>Run <a class="mono" href={href("runs", run.name)}>{run.name}</a></>} aside={<OutcomeBadge outcome={run.outcome} waits={waitingRuns.value.has(run.name)} />}>
              <Way run={run} fileKey={fileKey} />
            </Card>
          ))}
        </>
      )}
    </>
  );
}

/** From left to right: the file, the run, what it wrote, where the rows are. */
function Way({ run, fileKey }: { run: LineageRun; fileKey: string }): JSX.Element {
  const look = lookOf(run.outcome, waitingRuns.value.has(run.name));
  return (
    <ol class="way-of">
      <Stop icon="file" title="Landed as"><bdi class="mono">{fileKey}</bdi></Stop>
      <Stop icon={look.icon} title={`Run, ${look.word}`}><span><Time iso={run.started} />{run.seconds !== null && <span class="faint number">, took {duration(run.seconds)}</span>}</span>{run.error && <span class={`mono error-word tone-${look.tone}`}>{run.error}</span>}</Stop>
      {run.parquet.length > 0 && (
        <Stop icon="copy" title={plural(run.parquet.length, "Parquet object")}>
          {run.parquet.slice(0, 20).map((each) => (
            <span key={each.uri} class="mono">
              {each.uri} {each.size !== null && <span class="faint">{bytes(each.size)}</span>}
            </span>
          ))}
          {run.parquet.length > 20 && <span class="faint">and {count(run.parquet.length - 20)} more</span>}
        </Stop>
      )}
      {run.quarantine && <Stop icon="rejected" title="Quarantine"><span class="mono">{run.quarantine}</span><a href={href("runs", run.name)}>what was held, and why</a>{run.requeued.map((name) => <span key={name}>put back by <a href={href("runs", name)}>{name}</a></span>)}</Stop>}
      {run.table && run.loaded !== null && <Stop icon="table" title="Table"><span class="mono">{run.table}</span><span class="number">{plural(run.loaded, "row")} loaded</span></Stop>}
    </ol>
  );
}

function Stop({ icon, title, children }: { icon: IconName; title: string; children: ComponentChildren }): JSX.Element {
  return (
    <li>
      <h3><Icon name={icon} /> {title}</h3>
      <div>{children}</div>
    </li>
  );
}
