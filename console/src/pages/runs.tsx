/** Every run, newest first, as it happens. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";

import * as api from "../api";
import { count, dollars, duration, fileName } from "../format";
import { inTurn, type Live, useDrawn, useLive } from "../live";
import { Command, Empty, Nothing, Said, Skeleton, Time, Trouble } from "../parts/basics";
import { LiveMark } from "../parts/live_mark";
import { lookOf, OutcomeBadge, OUTCOMES } from "../parts/outcome";
import { Pager } from "../parts/pager";
import { Choice, Filters, Search } from "../parts/filters";
import { Strips } from "../parts/strips";
import { goOn, href, refine, route } from "../route";
import type { Run } from "../types";
import { Waits, waitingRuns } from "./waits";

const EVERY = 1500; // milliseconds: a new run shows within two seconds
const PAGE = 50;

const SPANS: [string, string][] = [
  ["", "any time"],
  ["1h", "the last hour"],
  ["24h", "the last 24 hours"],
  ["7d", "the last 7 days"],
];
const SECONDS: Record<string, number> = { "1h": 3600, "24h": 86_400, "7d": 604_800 };

interface Found {
  runs: Run[];
  next: string | null;
}

export function Runs(): JSX.Element {
  const { pipeline, outcome, since, search, next } = route.value.query;
  const found = useLive<Found>(
    (stop) => api.runs({ pipeline, outcome, since: beginning(since), search, limit: PAGE, next }, stop),
    next ? null : EVERY,
    [pipeline, outcome, since, search, next],
  );
  const listed = useDrawn(found.data !== null);
  const names = useLive((stop) => inTurn(() => api.pipelines(stop)), null, [], listed);
  return (
    <>
      <header class="page-head">
        <h1>Runs</h1>
        <LiveMark live={found} on={!next} />
      </header>
      <Waits due={listed} />
      <Strips chosen={pipeline} due={listed} />
      <Filters title="Which runs">
        <Choice name="Pipeline" value={pipeline} onChange={(value) => refine({ pipeline: value, next: undefined })}
          options={[["", "all"], ...(names.data?.pipelines ?? []).map((each): [string, string] => [each.name, each.name])]} />
        <Choice name="Outcome" value={outcome} onChange={(value) => refine({ outcome: value, next: undefined })}
          options={[["", "any"], ...OUTCOMES.map((each): [string, string] => [each, lookOf(each).word])]} />
        <Choice name="Started" value={since} onChange={(value) => refine({ since: value, next: undefined })} options={SPANS} />
        <Search value={search} onChange={(value) => refine({ search: value, next: undefined }, true)} />
        {(pipeline || outcome || since || search) && (
          <a class="button quiet" href="#/runs">
            Clear
          </a>
        )}
      </Filters>
      <List found={found} />
    </>
  );
}

/** To the minute, so that the question stays the same from one to the next. */
function beginning(since: string | undefined): string | undefined {
  const seconds = SECONDS[since ?? ""];
  if (!seconds) return undefined;
  return new Date(Math.floor((Date.now() - seconds * 1000) / 60_000) * 60_000).toISOString();
}

function List({ found }: { found: Live<Found> }): JSX.Element {
  const fresh = useFresh(found.data?.runs);
  if (!found.data) {
    return found.problem ? <Trouble what="The runs cannot be listed" problem={found.problem} again={found.again} /> : <Skeleton lines={8} tall />;
  }
  const { runs, next } = found.data;
  const { query } = route.value;
  if (!runs.length && !query["next"]) return <NoRuns filtered={Boolean(query["pipeline"] || query["outcome"] || query["since"] || query["search"])} more={next} />;
  return (
    <>
      {found.problem && <Trouble what="The list is no longer fresh" problem={found.problem} />}
      <Said text={fresh.size ? `${fresh.size} new run${fresh.size === 1 ? "" : "s"}` : ""} />
      <div class="scroll" role="region" aria-label="Runs" tabIndex={0}>
        <table class="rows runs">
          <thead>
            <tr>
              <th scope="col">Outcome</th>
              <th scope="col">File or run</th>
              <th scope="col">Pipeline</th>
              <th scope="col" class="right">Rows loaded</th>
              <th scope="col" class="right">Started</th>
              <th scope="col" class="right">Took</th>
              <th scope="col" class="right" title="An estimate, at the list prices of AWS">Cost</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <Row key={run.name} run={run} fresh={fresh.has(run.name)} />
            ))}
          </tbody>
        </table>
      </div>
      <Pager next={next} shown={runs.length} word="run" />
    </>
  );
}

/** The names that came since the first answer to this question. */
function useFresh(runs: Run[] | undefined): Set<string> {
  const about = JSON.stringify(route.value.query);
  const known = useRef<{ about: string; names: Set<string> | null; fresh: Set<string> }>({ about, names: null, fresh: new Set() });
  const now = known.current.about === about ? known.current : { about, names: null, fresh: new Set<string>() };
  if (runs) {
    if (now.names) {
      const came = runs.filter((run) => !now.names?.has(run.name)).map((run) => run.name);
      if (came.length) now.fresh = new Set(came);
    }
    now.names = new Set([...(now.names ?? []), ...runs.map((run) => run.name)]);
  }
  known.current = now;
  return now.fresh;
}

function Row({ run, fresh }: { run: Run; fresh: boolean }): JSX.Element {
  return (
    <tr class={fresh ? "fresh" : ""}>
      <td>
        <OutcomeBadge outcome={run.outcome} waits={waitingRuns.value.has(run.name)} />
      </td>
      <td class="grow">
        <a class="row-link" href={href("runs", run.name)}>
          <bdi class="cut" title={run.file ?? undefined}>{run.file ? fileName(run.file) : run.name}</bdi>
        </a>
        {run.file && <span class="under cut mono">{run.name}</span>}
        {run.error && <span class={`under cut tone-${lookOf(run.outcome).tone}`} title={why(run)}>{why(run)}</span>}
      </td>
      <td data-label="Pipeline">
        <a href={href("pipelines", run.pipeline)}>{run.pipeline}</a>
      </td>
      <td data-label="Rows loaded" class="right number">
        <RowCount run={run} />
      </td>
      <td data-label="Started" class="right">
        <Time iso={run.started} />
      </td>
      <td data-label="Took" class="right number">
        {run.seconds === null ? <Nothing means="not over" /> : duration(run.seconds)}
      </td>
      <td data-label="Cost" class="right number">
        {run.cost === null || run.cost === undefined ? <Nothing means="not known" /> : dollars(run.cost)}
      </td>
    </tr>
  );
}

/** Of a rejected file its reason alone: the badge says the rest. */
function why(run: Run): string {
  const cause = run.cause?.split("\n", 1)[0] ?? "";
  return run.outcome === "rejected" && cause ? cause : [run.error, cause].filter(Boolean).join(": ");
}

function RowCount({ run }: { run: Run }): JSX.Element {
  const { loaded = null, rejected = null, read = null } = run.rows ?? {};
  if (loaded === null && read === null) return <Nothing means="not known" />;
  return (
    <>
      {loaded === null ? <Nothing means="none loaded" /> : count(loaded)}
      {rejected ? <span class="under tone-rejected">{count(rejected)} rejected</span> : null}
    </>
  );
}

function NoRuns({ filtered, more }: { filtered: boolean; more: string | null }): JSX.Element {
  if (filtered) {
    return (
      <Empty icon="never" title="No run is like this">
        {more ? <button type="button" class="button" onClick={() => goOn(more)}>Look further back</button> : <a class="button" href="#/runs">Show every run</a>}
      </Empty>
    );
  }
  return (
    <Empty icon="file" title="Nothing has run yet">
      <p>Drop a file on a pipeline's page, or in the terminal:</p>
      <Command text="decant samples samples" anywhere />
      <Command text="decant drop samples/orders_small.csv --pipeline orders" />
    </Empty>
  );
}
