/** One workflow: its graph, what lint says of it, and what a run costs. */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";

import * as api from "../api";
import { dollars, duration, plural } from "../format";
import { Graph } from "../graph/graph";
import { everyState } from "../layout/definition";
import { useLive } from "../live";
import { Card, Command, Json, Nothing, Skeleton, Time, Trouble } from "../parts/basics";
import { Findings } from "../parts/findings";
import { Icon } from "../parts/icons";
import { href, refine, route } from "../route";
import type { Costs, Finding, Way, Workflow } from "../types";

export function WorkflowPage({ name }: { name: string }): JSX.Element {
  const found = useLive((stop) => api.workflow(name, stop), null, [name]);
  const workflow = found.data;
  const chosen = route.value.query["state"];
  if (!workflow) return found.problem ? <Trouble what={`The workflow ${name} cannot be shown`} problem={found.problem} again={found.again} /> : <Skeleton lines={10} />;
  return (
    <>
      <header class="page-head">
        <nav class="crumbs" aria-label="Where this is">
          <a href={href("workflows")}>Workflows</a>
        </nav>
        <h1>{workflow.name}</h1>
        <Findings count={workflow.findings?.length ?? null} />
        <span class="faint">deployed <Time iso={workflow.made} /></span>
        <p class="lead">{workflow.description}</p>
        <p class="faint">
          Pipelines:{" "}
          {workflow.pipelines.map((pipeline, index) => (
            <span key={pipeline}>{index > 0 && ", "}<a href={href("pipelines", pipeline)}>{pipeline}</a></span>
          ))}
        </p>
      </header>
      <div class={`beside ${chosen ? "with-panel" : ""}`}>
        <Card title="Graph" id="graph" aside={<Command text={`decant workflows draw ${workflow.name}`} anywhere />}>
          <Graph machine={workflow.definition} chosen={chosen} onChoose={(state) => refine({ state }, true)} label={`The states of ${workflow.name}`} />
        </Card>
        {chosen && <StateOf workflow={workflow} name={chosen} />}
      </div>
      <Card title="Lint" id="lint" aside={<Command text="decant workflows lint" anywhere />}>
        <FindingRows findings={workflow.findings} />
      </Card>
      <Card title="What a run costs" id="cost" aside={<Command text={`decant workflows cost ${workflow.name}`} anywhere />}>
        <Prices cost={workflow.cost} />
      </Card>
    </>
  );
}

function StateOf({ workflow, name }: { workflow: Workflow; name: string }): JSX.Element {
  const state = useMemo(() => [...everyState(workflow.definition)].find((each) => each.name === name)?.state, [workflow, name]);
  return (
    <section class="card panel" aria-labelledby="state-title">
      <header class="card-head">
        <h2 id="state-title">{name}</h2>
        <button type="button" class="button quiet" aria-label="Close this state" onClick={() => refine({ state: undefined }, true)}>
          <Icon name="close" />
        </button>
      </header>
      {state ? (
        <>
          <p>{state.Comment ?? <span class="faint">{state.Type}</span>}</p>
          <Json value={state} label="the state's definition" />
        </>
      ) : (
        <p class="faint">This workflow has no such state.</p>
      )}
    </section>
  );
}

function FindingRows({ findings }: { findings: Finding[] | null }): JSX.Element {
  if (!findings) return <p class="faint">The stage was provisioned without a report; the command says it.</p>;
  if (!findings.length) return <p class="good-news tone-good"><Icon name="done" /> Every rule is kept: retries, time limits, and a red end for every error.</p>;
  return (
    <ul class="findings">
      {findings.map((finding, index) => (
        <li key={index}>
          <p><strong>{finding.state}</strong> <code class="faint">{finding.rule}</code></p>
          <p>{finding.remedy}</p>
        </li>
      ))}
    </ul>
  );
}

const FEW = 8; // ways that are shown at once; the largest workflow has over twenty

function Prices({ cost }: { cost: Costs | null }): JSX.Element {
  const [all, setAll] = useState(false);
  if (!cost) return <p class="faint">The stage was provisioned without prices; the command says them.</p>;
  if (!cost.ways.length) return <p class="faint">{cost.why ?? "There is no way through it to price."}</p>;
  const ways = cost.ways.toSorted((one, other) => Number(one.fails) - Number(other.fails) || one.transitions - other.transitions);
  return (
    <>
      <p class="faint">For a file of 1 MB at the list prices of {cost.region}{cost.prices_as_of ? `, as of ${cost.prices_as_of}` : ""}. Each row is a way through the workflow, the shortest first.</p>
      <div class="scroll" role="region" aria-label="Ways and their prices" tabIndex={0}>
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">Way</th>
              <th scope="col" class="right">A run</th>
              <th scope="col" class="right">1,000 runs</th>
              <th scope="col" class="right">Each further GB</th>
              <th scope="col" class="right">Transitions</th>
              <th scope="col" class="right">About</th>
            </tr>
          </thead>
          <tbody>
            {(all ? ways : ways.slice(0, FEW)).map((way, index) => <WayRow key={index} way={way} />)}
          </tbody>
        </table>
      </div>
      {!all && ways.length > FEW && <button type="button" class="button more" onClick={() => setAll(true)}>Show all {ways.length} ways</button>}
      {cost.left_out > 0 && <p class="faint">{plural(cost.left_out, "more way")} left out.</p>}
    </>
  );
}

function WayRow({ way }: { way: Way }): JSX.Element {
  return (
    <tr>
      <td class="grow">
        <details class="way">
          <summary>
            <span class={`way-end ${way.fails ? "tone-failed" : "tone-good"}`}><Icon name={way.fails ? "failed" : "done"} /> {way.states[way.states.length - 1]}</span>{" "}
            <span class="faint">{way.states.slice(0, -1).join(" → ")}</span>
          </summary>
          <ul>
            {way.lines.map((line) => (
              <li key={line.what}><span>{line.what}</span> <span class="number">{Number(line.quantity.toPrecision(4)).toLocaleString("en-GB")} {line.unit}</span> <span class="number">{dollars(line.usd)}</span></li>
            ))}
          </ul>
        </details>
      </td>
      <td data-label="A run" class="right number">{dollars(way.usd)}</td>
      <td data-label="1,000 runs" class="right number">{dollars(way.usd * 1000)}</td>
      <td data-label="A GB more" class="right number">{way.usd_per_gb ? dollars(way.usd_per_gb) : <Nothing />}</td>
      <td data-label="Transitions" class="right number">{way.transitions}</td>
      <td data-label="About" class="right number">{duration(way.seconds)}</td>
    </tr>
  );
}
