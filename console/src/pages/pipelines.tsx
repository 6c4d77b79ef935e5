/** Every pipeline, and how it did. */
import type { JSX } from "preact";

import * as api from "../api";
import { useLive } from "../live";
import { Nothing, Skeleton, Time, Trouble } from "../parts/basics";
import { Strip, Sum } from "../parts/strips";
import { href } from "../route";

export function Pipelines(): JSX.Element {
  const found = useLive((stop) => api.pipelines(stop), null, []);
  const statistics = useLive((stop) => api.statisticsOfAll(24, stop), 15_000, []);
  const of = (name: string) => statistics.data?.pipelines.find((each) => each.pipeline === name);
  return (
    <>
      <header class="page-head">
        <h1>Pipelines</h1>
        <p class="lead">Each is a workflow with the names filled in: what lands where, what its rows must keep to, and where they go.</p>
      </header>
      {!found.data && (found.problem ? <Trouble what="The pipelines cannot be listed" problem={found.problem} again={found.again} /> : <Skeleton lines={8} tall />)}
      {found.data && (
        <div class="scroll" role="region" aria-label="Pipelines" tabIndex={0}>
          <table class="rows">
            <thead>
              <tr>
                <th scope="col">Pipeline</th>
                <th scope="col">Works on</th>
                <th scope="col">Fills</th>
                <th scope="col">Schedule</th>
                <th scope="col">The last 24 hours</th>
              </tr>
            </thead>
            <tbody>
              {found.data.pipelines.map((pipeline) => {
                const hours = of(pipeline.name);
                return (
                  <tr key={pipeline.name}>
                    <td class="grow">
                      <a class="row-link" href={href("pipelines", pipeline.name)}>{pipeline.name}</a>
                      <span class="under">{pipeline.description}</span>
                    </td>
                    <td data-label="Works on" class="wraps">
                      {pipeline.landing_prefix || pipeline.reads ? <span class="mono">{pipeline.landing_prefix ?? pipeline.reads}</span> : <Nothing />}
                      <span class="under">{pipeline.format ?? pipeline.kind}, <a href={href("workflows", pipeline.workflow)}>{pipeline.workflow}</a></span>
                    </td>
                    <td data-label="Fills" class="mono wraps">{pipeline.table ?? <Nothing />}</td>
                    <td data-label="Schedule">
                      {pipeline.schedule ? <span class="mono">{pipeline.schedule}</span> : <Nothing means="when a file lands or by hand" />}
                      {pipeline.next_tick && <span class="under">next <Time iso={pipeline.next_tick} style="relative" /></span>}
                    </td>
                    <td data-label="24 hours" class="strip-cell">
                      {hours ? <>{hours.hours.length > 0 && <Strip statistics={hours} />}<Sum hours={hours.hours} /></> : <Nothing means="not known yet" />}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
