/** Every workflow that a pipeline runs. */
import type { JSX } from "preact";

import * as api from "../api";
import { plural } from "../format";
import { useLive } from "../live";
import { Empty, Skeleton, Trouble } from "../parts/basics";
import { Findings } from "../parts/findings";
import { href } from "../route";

export function Workflows(): JSX.Element {
  const found = useLive((stop) => api.workflows(stop), null, []);
  return (
    <>
      <header class="page-head">
        <h1>Workflows</h1>
        <p class="lead">What happens to a file or a batch, state by state, as it is deployed.</p>
      </header>
      {!found.data && (found.problem ? <Trouble what="The workflows cannot be listed" problem={found.problem} again={found.again} /> : <Skeleton lines={6} tall />)}
      {found.data && !found.data.workflows.length && <Empty icon="never" title="No pipeline runs a workflow" />}
      <ul class="tiles">
        {found.data?.workflows.map((workflow) => (
          <li key={workflow.name} class="card tile">
            <h2>
              <a href={href("workflows", workflow.name)}>{workflow.name}</a>
            </h2>
            <p>{workflow.description}</p>
            <p class="faint tile-end">
              {plural(workflow.states, "state")} <Findings count={workflow.findings} />
            </p>
            <p class="faint">
              {workflow.pipelines.map((name, index) => (
                <span key={name}>
                  {index > 0 && ", "}
                  <a href={href("pipelines", name)}>{name}</a>
                </span>
              ))}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}
