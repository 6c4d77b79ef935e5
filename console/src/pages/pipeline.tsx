/** One pipeline: what it is, how it does, and how to give it work. */
import type { ComponentChildren, JSX } from "preact";

import * as api from "../api";
import { bytes, count } from "../format";
import { useLive } from "../live";
import { Card, Facts, Nothing, Skeleton, Time, Trouble } from "../parts/basics";
import { OutcomeBadge } from "../parts/outcome";
import { href } from "../route";
import type { Column, Pipeline } from "../types";
import { Charts } from "./pipeline_charts";
import { Start } from "./pipeline_start";
import { Upload } from "./pipeline_upload";
import { useWaits, waitingRuns } from "./waits";

export function PipelinePage({ name }: { name: string }): JSX.Element {
  const found = useLive((stop) => api.pipeline(name, stop), null, [name]);
  const last = useLive((stop) => api.runs({ pipeline: name, limit: 1 }, stop), 5000, [name]);
  const pipeline = found.data;
  useWaits();
  if (!pipeline) return found.problem ? <Trouble what={`The pipeline ${name} cannot be shown`} problem={found.problem} again={found.again} /> : <Skeleton lines={10} />;
  const newest = last.data?.runs[0];
  return (
    <>
      <header class="page-head">
        <nav class="crumbs" aria-label="Where this is">
          <a href={href("pipelines")}>Pipelines</a>
        </nav>
        <h1>{pipeline.name}</h1>
        {newest && (
          <a class="last" href={href("runs", newest.name)}>
            last run <OutcomeBadge outcome={newest.outcome} waits={waitingRuns.value.has(newest.name)} /> <Time iso={newest.started} style="relative" />
          </a>
        )}
        <a class="button quiet" href={href("runs", "", { pipeline: name })}>
          All its runs
        </a>
        <p class="lead">{pipeline.description}</p>
      </header>
      <Card title="Definition" id="definition">
        <Definition pipeline={pipeline} />
      </Card>
      <Charts name={name} />
      <div class="halves">
        {(pipeline.landing_prefix || pipeline.reads) && (
          <Card title="Drop a file" id="upload">
            <Upload pipeline={pipeline} />
          </Card>
        )}
        <Card title="Start by hand" id="start">
          <Start pipeline={pipeline} />
        </Card>
      </div>
      {pipeline.columns.length > 0 && (
        <Card title="Columns and rules" id="columns">
          <Columns columns={pipeline.columns} />
        </Card>
      )}
    </>
  );
}

function Definition({ pipeline }: { pipeline: Pipeline }): JSX.Element {
  const mono = (text: string | null): ComponentChildren => (text ? <span class="mono">{text}</span> : <Nothing />);
  const facts: [string, ComponentChildren][] = [["Workflow", <a href={href("workflows", pipeline.workflow)}>{pipeline.workflow}</a>]];
  if (pipeline.kind === "file") {
    facts.push(["Files land in", mono(pipeline.landing_prefix)], ["Bucket", mono(pipeline.bucket)], ["Format", pipeline.format ?? <Nothing />], ["Table", mono(pipeline.table)]);
    facts.push(["Large files go to", pipeline.glue_job ? <>the Glue job <span class="mono">{pipeline.glue_job}</span>{pipeline.largest_for_lambda ? `, above ${bytes(pipeline.largest_for_lambda)}` : ""}</> : <Nothing means="Lambda only" />]);
    facts.push(["Bad rows", pipeline.tolerate ? tolerance(pipeline.tolerate) : "none: one rejects the file"]);
    if (pipeline.usual_rows) facts.push(["Usual rows", `${count(pipeline.usual_rows[0])} to ${count(pipeline.usual_rows[1])}`]);
  } else {
    facts.push(["Gathers from", mono(pipeline.reads)], ["Schedule", mono(pipeline.schedule)]);
    if (pipeline.next_tick) facts.push(["Next tick", <Time iso={pipeline.next_tick} style="full" />]);
  }
  return <Facts facts={facts} />;
}

function tolerance(rule: Record<string, unknown>): string {
  const said = Object.entries(rule).filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "number" ? count(value) : String(value)}`);
  return said.join(", ") || "some are set aside";
}

function Columns({ columns }: { columns: Column[] }): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label="Columns" tabIndex={0}>
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            <th scope="col">A value is</th>
            <th scope="col">Rules</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <td class="mono strong">{column.name}</td>
              <td data-label="Type">{column.type === "decimal" ? `decimal(${column.precision}, ${column.scale})` : column.type}</td>
              <td data-label="A value is">{column.required ? "required" : <span class="faint">optional</span>}</td>
              <td data-label="Rules" class="wraps">{rules(column) || <Nothing means="no more rules" />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rules(column: Column): string {
  const said: string[] = [];
  if (column.unique) said.push("each value once");
  if (column.minimum !== null) said.push(`at least ${String(column.minimum)}`);
  if (column.maximum !== null) said.push(`at most ${String(column.maximum)}`);
  if (column.longest !== null) said.push(`at most ${count(column.longest)} characters`);
  if (column.allowed) said.push(`one of ${column.allowed.join(", ")}`);
  return said.join("; ");
}
