/** One run: where it is, what it did, what came of it, and what can be done about it. */
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";

import * as api from "../api";
import { count, dollars, duration, fileName, roughly } from "../format";
import { Graph } from "../graph/graph";
import { Timeline } from "../graph/timeline";
import { useLive } from "../live";
import { Card, Copy, Facts, Json, Nothing, Said, Skeleton, Time, Trouble } from "../parts/basics";
import { LiveMark } from "../parts/live_mark";
import { lookOf, OutcomeBadge, STATUSES } from "../parts/outcome";
import { href, refine, route } from "../route";
import type { Run, StateVisit } from "../types";
import { Asked } from "./run_asked";
import { Deeds, isAsked, useHeld } from "./run_deeds";
import { Logs } from "./run_logs";
import { Notices } from "./run_notices";
import { Report } from "./run_report";
import { StatePanel } from "./state_panel";

const EVERY = 1200; // milliseconds, while it is under way

export function RunPage({ name }: { name: string }): JSX.Element {
  const over = useRef(false);
  const found = useLive((stop) => api.run(name, stop), over.current ? null : EVERY * 2, [name]);
  const states = useLive((stop) => api.states(name, true, stop), over.current ? null : EVERY, [name]);
  const definition = useLive((stop) => api.definition(name, stop), null, [name]);
  const visits = useMemo(() => new Map((states.data?.states ?? []).map((visit) => [visit.name, visit])), [states.data]);
  const run = found.data;
  const held = useHeld(run, visits).data;
  over.current = Boolean(run && run.outcome !== "running" && states.data && states.data.outcome !== "running");
  const waits = run !== null && isAsked(run, visits);
  const chosen = route.value.query["state"];
  const choose = (state: string | undefined): void => {
    refine({ state }, true);
    if (state) requestAnimationFrame(() => document.getElementById("state-title")?.focus({ preventScroll: matchMedia("(min-width: 1100px)").matches }));
  };
  const again = (): void => {
    found.again();
    states.again();
  };

  if (!run) {
    return found.problem ? <Trouble what={`The run ${name} cannot be shown`} problem={found.problem} again={found.again} /> : <Skeleton lines={10} />;
  }
  return (
    <>
      <header class="page-head">
        <nav class="crumbs" aria-label="Where this is">
          <a href={href("runs")}>Runs</a> <span aria-hidden="true">/</span> <a href={href("runs", "", { pipeline: run.pipeline })}>{run.pipeline}</a>
        </nav>
        <h1>
          <bdi>{run.file ? fileName(run.file) : run.name}</bdi>
        </h1>
        <OutcomeBadge outcome={run.outcome} waits={waits} />
        {run.outcome === "running" && <LiveMark live={states} on />}
      </header>
      <Said text={`The run ${lookOf(run.outcome).word}. ${working(visits)}`} />
      {found.problem && <Trouble what="What is shown is no longer fresh" problem={found.problem} />}
      {run.error && <WhatFailed run={run} />}
      {waits && <Asked run={run.name} />}
      <Card title="The run" id="about">
        <About run={run} />
        <Deeds run={run} visits={visits} held={held} again={again} />
      </Card>
      {held && <Report held={held} />}
      <div class={`beside ${chosen ? "with-panel" : ""}`}>
        <Card title="Workflow" id="workflow" aside={definition.data && <a href={href("workflows", definition.data.workflow)}>{definition.data.workflow}</a>}>
          {definition.data ? (
            <Graph machine={definition.data.definition} visits={visits} chosen={chosen} onChoose={choose} label={`The states of ${run.name}`} />
          ) : definition.problem ? (
            <Trouble what="The graph cannot be drawn" problem={definition.problem} again={definition.again} />
          ) : (
            <Skeleton lines={8} />
          )}
        </Card>
        {chosen && <StatePanel key={chosen} run={run.name} failed={{ error: run.error, cause: run.cause }} state={chosen} definition={definition.data?.definition} live={visits.get(chosen)} close={() => choose(undefined)} />}
      </div>
      <Card title="Timeline" id="timeline">
        {states.data ? (
          <Timeline visits={states.data.states} started={run.started} ended={run.ended} chosen={chosen} onChoose={choose} />
        ) : states.problem ? (
          <Trouble what="The states cannot be shown" problem={states.problem} again={states.again} />
        ) : (
          <Skeleton />
        )}
      </Card>
      <Notices run={run.name} over={run.outcome !== "running"} />
      <Logs run={run.name} over={run.outcome !== "running"} />
      <Card title="Input and output" id="data" className="pair">
        <Json value={run.input} label="the run's input" />
        {run.output ? <Json value={run.output} label="the run's output" /> : <p class="faint">{run.outcome === "running" ? "It has no output yet." : "It ended without an output."}</p>}
      </Card>
    </>
  );
}

/** Seconds since it began, by this machine's clock. */
const soFar = (run: Run): number => Math.max(0, Math.round((Date.now() - new Date(run.started).getTime()) / 1000));

function working(visits: Map<string, StateVisit>): string {
  const now = [...visits.values()].filter((visit) => ["running", "retrying", "waiting"].includes(visit.status));
  return now.map((visit) => `${visit.name} is ${STATUSES[visit.status].word}.`).join(" ");
}

function WhatFailed({ run }: { run: Run }): JSX.Element {
  return (
    <div class={`what-failed tone-${lookOf(run.outcome).tone}`}>
      <p class="mono what-failed-error">{run.error}</p>
      {run.cause && <p class="what-failed-cause">{run.cause}</p>}
    </div>
  );
}

function About({ run }: { run: Run }): JSX.Element {
  const rows = run.rows;
  return (
    <Facts
      facts={[
        ["Run", <span class="with-copy mono">{run.name} <Copy text={run.name} what="the run's name" /></span>],
        ["Pipeline", <a href={href("pipelines", run.pipeline)}>{run.pipeline}</a>],
        ["File", run.file ? <a class="mono roomy" href={href("files", run.file, { pipeline: run.pipeline })}><bdi>{run.file}</bdi></a> : <Nothing />],
        ["Rows loaded", rows && rows.loaded !== null ? <span class="number">{count(rows.loaded)}{rows.read !== null && ` of ${count(rows.read)}`}</span> : <Nothing means="not known" />],
        ["Started", <Time iso={run.started} style="full" />],
        ["Took", <span class="number">{run.seconds === null ? `${roughly(soFar(run))} so far` : duration(run.seconds)}</span>],
        ["Cost, estimated", run.cost === null || run.cost === undefined ? <Nothing means="not known" /> : <span class="number">{dollars(run.cost)}</span>],
        ["Redrives", <span class="number">{run.redrives}</span>],
      ]}
    />
  );
}
