/** Runs that wait for a person: above everything else, since nobody else can help them on. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";

import * as api from "../api";
import { fileName, plural } from "../format";
import { inTurn, useLive } from "../live";
import { Time } from "../parts/basics";
import { Icon } from "../parts/icons";
import { href } from "../route";
import type { Waiting } from "../types";

/** The names of the runs that wait. */
export const waitingRuns = signal<ReadonlySet<string>>(new Set());

let known: Waiting[] = []; // what somebody comes back to begins as it was left, or the list would move under them

/** Ask who waits as long as a page shows runs, from when it is `due`; tell `waitingRuns` too. */
export function useWaits(due = true): Waiting[] {
  const found = useLive((stop) => inTurn(() => api.approvals(stop)), 5000, [], due);
  const waiting = (known = found.data?.waiting ?? known);
  useEffect(() => {
    waitingRuns.value = new Set(waiting.map((asked) => asked.run));
  }, [waiting]);
  return waiting;
}

export function Waits({ due }: { due: boolean }): JSX.Element | null {
  const waiting = useWaits(due);
  if (!waiting.length) return null;
  return (
    <section class="waits" aria-label="Waiting for approval">
      <h2>
        <Icon name="waiting" /> {plural(waiting.length, "run")} {waiting.length === 1 ? "waits" : "wait"} for approval
      </h2>
      <ul>
        {waiting.slice(0, 5).map((asked) => (
          <li key={asked.run}>
            <a href={href("runs", asked.run)} title={asked.file.key}>
              <bdi>{fileName(asked.file.key)}</bdi>
            </a>{" "}
            <span class="faint">
              {asked.pipeline}: {asked.why.join("; ")}; expires <Time iso={asked.expires} style="relative" />
            </span>
          </li>
        ))}
      </ul>
      {waiting.length > 5 && <p class="faint">and {plural(waiting.length - 5, "more run")}</p>}
    </section>
  );
}
