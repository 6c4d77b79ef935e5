/** What a person can do about a run, as it stands. */
import type { JSX } from "preact";

import * as api from "../api";
import { type Live, useLive } from "../live";
import { type Deed, DeedButton } from "../parts/confirm";
import { go, href } from "../route";
import type { Quarantined, Run, StateVisit } from "../types";

export function Deeds({ run, visits, held, again }: { run: Run; visits: Map<string, StateVisit>; held: Quarantined | null; again: () => void }): JSX.Element | null {
  const deeds = [...(isAsked(run, visits) ? decisions(run, again) : []), ...usual(run, again), ...(held ? [requeue(run, held.kind)] : [])];
  if (!deeds.length) return null;
  return (
    <div class="deeds" role="group" aria-label="What you can do">
      {deeds.map((deed) => (
        <DeedButton key={deed.action} deed={deed} />
      ))}
    </div>
  );
}

/** Whether it waits for a person to decide. */
export function isAsked(run: Run, visits: Map<string, StateVisit>): boolean {
  return run.outcome === "running" && ["waiting", "running"].includes(visits.get("RequestApproval")?.status ?? "");
}

/** What a run that is over put into quarantine: its whole file, or some of its rows; null where nothing. */
export function useHeld(run: Run | null, visits: Map<string, StateVisit>): Live<Quarantined | null> {
  const may = run !== null && run.outcome !== "running" && ["QuarantineFile", "KeepGoodRows"].some((state) => visits.get(state)?.status === "done");
  return useLive((stop) => (may ? api.quarantined(run.name, stop).catch(notHeld) : Promise.resolve(null)), null, [run?.name, run?.outcome, may]);
}

function notHeld(error: unknown): null {
  if (error instanceof api.Problem && error.status === 404) return null;
  throw error;
}

const toStarted = (started: { run: string }): void => go(href("runs", started.run));

function decisions(run: Run, again: () => void): Deed[] {
  return [
    {
      action: "approve", title: "Approve", icon: "check",
      says: "The run goes on and loads its rows.",
      command: `decant approvals approve ${run.name} --reason "..."`, reason: "",
      act: (reason) => api.approve(run.name, reason).then(again),
    },
    {
      action: "refuse", title: "Refuse", icon: "close", danger: true,
      says: "The run ends, nothing is loaded, and the file goes to quarantine.",
      command: `decant approvals refuse ${run.name} --reason "..."`, reason: "",
      act: (reason) => api.refuse(run.name, reason).then(again),
    },
  ];
}

function usual(run: Run, again: () => void): Deed[] {
  if (run.outcome === "running") {
    return [{
      action: "stop", title: "Stop", icon: "stopped", danger: true,
      says: "The run ends where it is. What it had not loaded stays unloaded; it can be redriven later.",
      command: `decant runs stop ${run.name}`, reason: "stopped in the console",
      act: (reason) => api.stop(run.name, reason).then(again),
    }];
  }
  if (run.outcome === "succeeded" || run.outcome === "rejected") return []; // a rejected file is put back from quarantine
  return [{
    action: "redrive", title: "Redrive", icon: "retry",
    says: "The run goes on from the state that failed, or begins again under the next name where it cannot go on. What is loaded is not loaded twice.",
    command: `decant runs redrive ${run.name}`,
    act: (_reason) => api.redrive(run.name).then((started) => (started.run === run.name ? again() : toStarted(started))),
  }];
}

function requeue(run: Run, kind: "file" | "rows"): Deed {
  return {
    action: "requeue", title: kind === "rows" ? "Requeue the rows" : "Requeue the file", icon: "play",
    says: "A new run tries what is in quarantine again, as it is: after its pipeline's rules were changed, say. To put back a corrected file, give it to the command.",
    command: `decant quarantine requeue ${run.name}`,
    act: (_reason) => api.requeue(run.name).then(toStarted),
  };
}
