/** One state of a run: what went in, what came out, what went wrong, how often it was tried, what it logged. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";

import * as api from "../api";
import { duration } from "../format";
import { everyState, type Machine, type State } from "../layout/definition";
import { useLive } from "../live";
import { Facts, Json, Nothing, Skeleton, Time, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { OutcomeBadge, StatusBadge } from "../parts/outcome";
import type { StateVisit } from "../types";
import { LogLines } from "./run_logs";

const TABS = ["Input", "Output", "Tries", "Log", "Definition"] as const;
type Tab = (typeof TABS)[number];

export function StatePanel(props: { run: string; failed: { error: string | null; cause: string | null }; state: string; definition: Machine | undefined; live: StateVisit | undefined; close: () => void }): JSX.Element {
  const { run, state, live } = props;
  const found = useLive((stop) => api.states(run, false, stop), null, [run, state, live?.status, live?.visits, live?.attempts]);
  const known = found.data?.states.find((each) => each.name === state) ?? live;
  const visit = known?.type === "Fail" && known.entered && !known.error ? { ...known, ...props.failed } : known; // it ends the run, with the run's error
  return (
    <section class="card panel" aria-labelledby="state-title" onKeyDown={(event) => event.key === "Escape" && props.close()}>
      <header class="card-head">
        <h2 id="state-title" tabIndex={-1}>
          {state}
        </h2>
        <button type="button" class="button quiet" onClick={props.close} aria-label="Close this state" title="Close (Escape)">
          <Icon name="close" />
        </button>
      </header>
      {visit ? <About visit={visit} /> : found.problem ? <Trouble what="This state cannot be shown" problem={found.problem} /> : <Skeleton />}
      {visit && <Tabs run={run} visit={visit} full={Boolean(found.data)} definition={props.definition} />}
    </section>
  );
}

function About({ visit }: { visit: StateVisit }): JSX.Element {
  return (
    <>
      <p class="panel-status">
        <StatusBadge status={visit.status} /> <span class="faint">{visit.type}{visit.inside ? ` in ${visit.inside}` : ""}</span>
      </p>
      {visit.error && (
        <div class="what-failed tone-failed">
          <p class="mono what-failed-error">{visit.error}</p>
          {visit.cause && <p class="what-failed-cause">{visit.cause}</p>}
        </div>
      )}
      <Facts
        facts={[
          ["Entered", <Time iso={visit.entered} />],
          ["Left", <Time iso={visit.left} />],
          ["Took", visit.seconds === null ? <Nothing means="not over" /> : <span class="number">{duration(visit.seconds)}</span>],
          ["Attempts", <span class="number">{visit.attempts}</span>],
          ["Visits", <span class="number">{visit.visits}</span>],
          ...(visit.iterations ? [["Items", `${visit.iterations.done} of ${visit.iterations.total ?? "?"} done, ${visit.iterations.failed} failed`] as [string, string]] : []),
        ]}
      />
      {visit.children && visit.children.length < (visit.iterations?.total ?? 0) && <p class="faint children">The newest {visit.children.length} of them:</p>}
      {visit.children && visit.children.length > 0 && (
        <ul class="children" aria-label="Runs of its items">
          {visit.children.toSorted((one, other) => rank(one.outcome) - rank(other.outcome)).map((child) => (
            <li key={child.name}>
              <OutcomeBadge outcome={child.outcome} /> <span class="mono cut">{child.name}</span> <Time iso={child.started} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What went wrong first, then what goes on. */
const rank = (outcome: string): number => ["succeeded", "running"].indexOf(outcome) === -1 ? 0 : outcome === "running" ? 1 : 2;

function Tabs({ run, visit, full, definition }: { run: string; visit: StateVisit; full: boolean; definition: Machine | undefined }): JSX.Element {
  const [tab, setTab] = useState<Tab>(visit.error && visit.tries.length ? "Tries" : visit.entered ? "Output" : "Definition");
  const move = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length] ?? tab;
    setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={`About ${visit.name}`} onKeyDown={move}>
        {TABS.map((name) => (
          <button key={name} type="button" role="tab" id={`tab-${name}`} aria-selected={tab === name} aria-controls="tab-shown" tabIndex={tab === name ? 0 : -1} onClick={() => setTab(name)}>
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-shown" aria-labelledby={`tab-${tab}`}>
        <Shown tab={tab} run={run} visit={visit} full={full} definition={definition} />
      </div>
    </div>
  );
}

function Shown({ tab, run, visit, full, definition }: { tab: Tab; run: string; visit: StateVisit; full: boolean; definition: Machine | undefined }): JSX.Element {
  if (tab === "Definition") {
    const state = definition && [...everyState(definition)].find((each) => each.name === visit.name)?.state;
    return state ? <Json value={state} label="the state's definition" /> : <Skeleton />;
  }
  if (tab === "Log") return definition ? <LogsOfState run={run} visit={visit} state={[...everyState(definition)].find((each) => each.name === visit.name)?.state} /> : <Skeleton />;
  if (tab === "Tries") return <Tries visit={visit} />;
  if (!full) return <Skeleton />;
  const value = tab === "Input" ? visit.input : visit.output;
  if (value === null || value === undefined) return <p class="faint">{visit.entered ? (tab === "Output" && !visit.left ? "It is not over yet." : `There is no ${tab.toLowerCase()}.`) : "The run has not come here."}</p>;
  return <Value value={value} label={`${tab.toLowerCase()} of ${visit.name}`} />;
}

function Value({ value, label }: { value: unknown; label: string }): JSX.Element {
  const long = value as { cut?: string; bytes?: number };
  if (typeof long.cut === "string" && typeof long.bytes === "number") {
    return (
      <>
        <p class="faint">The first 16 KB of {long.bytes.toLocaleString("en-GB")} bytes:</p>
        <Json value={long.cut} label={label} />
      </>
    );
  }
  return <Json value={value} label={label} />;
}

function Tries({ visit }: { visit: StateVisit }): JSX.Element {
  if (!visit.tries.length) return <p class="faint">Only a task is tried.</p>;
  return (
    <ol class="tries">
      {visit.tries.map((each, index) => (
        <li key={index}>
          <span class="number">{index + 1}.</span> <Time iso={each.started} />{" "}
          {each.seconds !== null && <span class="number faint">{duration(each.seconds)}</span>}{" "}
          {each.error ? <span class="mono tone-failed">{each.error}</span> : <span class="faint">{each.ended ? "ended well" : "under way"}</span>}
          {each.cause && <p class="faint">{each.cause}</p>}
        </li>
      ))}
    </ol>
  );
}

/** A state's lines: Step Functions' own under its name, its function's under the step's, its job's under `glue`. */
function LogsOfState({ run, visit, state }: { run: string; visit: StateVisit; state: State | undefined }): JSX.Element {
  const over = visit.left !== null || visit.entered === null;
  const steps = stepsOf(visit.name, state);
  const found = useLive(
    async (stop) => (await Promise.all(steps.map((step) => api.logs(run, { step }, stop)))).flatMap((page) => page.lines).sort((one, other) => one.time.localeCompare(other.time)),
    over ? null : 3000,
    [run, steps, over],
  );
  if (!found.data) return found.problem ? <Trouble what="The log cannot be shown" problem={found.problem} again={found.again} /> : <Skeleton />;
  if (!found.data.length) return <p class="faint">{visit.entered ? "It logged nothing." : "The run has not come here."}</p>;
  return <LogLines lines={found.data} />;
}

function stepsOf(name: string, state: State | undefined): string[] {
  const called = JSON.stringify([state?.Resource, state?.["Parameters"], state?.["Arguments"]]);
  const steps = [name.replace(/(?<!^)([A-Z])/g, "_$1").toLowerCase(), ...[...called.matchAll(/:function:[A-Za-z0-9_-]*-([a-z0-9_]+)/g)].map((match) => match[1] ?? "")];
  return [...new Set(called.includes("glue:startJobRun") || /GlueJob/.test(name) ? [...steps, "glue"] : steps)];
}
