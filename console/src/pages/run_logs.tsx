/** What a run's steps logged. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";

import * as api from "../api";
import { useLive } from "../live";
import { Card, Command, Skeleton, Time, Trouble } from "../parts/basics";
import type { LogLine } from "../types";

export function Logs({ run, over }: { run: string; over: boolean }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <Card title="Log" id="logs" aside={<Command text={`decant logs ${run}`} />}>
      {open ? <Shown run={run} over={over} /> : <button type="button" class="button" onClick={() => setOpen(true)}>Show what the steps logged</button>}
    </Card>
  );
}

function Shown({ run, over }: { run: string; over: boolean }): JSX.Element {
  const found = useLive((stop) => api.logs(run, {}, stop), over ? null : 3000, [run]);
  if (!found.data) return found.problem ? <Trouble what="The log cannot be shown" problem={found.problem} again={found.again} /> : <Skeleton />;
  if (!found.data.lines.length) return <p class="faint">No line has arrived yet; on AWS it takes some seconds.</p>;
  return (
    <>
      <LogLines lines={found.data.lines} />
      {found.data.more && <p class="faint">There are more lines; the command shows them all.</p>}
    </>
  );
}

export function LogLines({ lines }: { lines: LogLine[] }): JSX.Element {
  return (
    <div class="log" role="region" aria-label="Log lines" tabIndex={0}>
      {lines.map((line) => (
        <p key={line.id} class={`log-line level-${line.level.toLowerCase()}`}>
          <Time iso={line.time} /> <span class="log-level">{line.level}</span> <span class="log-step">{line.step}</span> <span class="log-text">{line.message}</span>
        </p>
      ))}
    </div>
  );
}
