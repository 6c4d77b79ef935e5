/** How a run or a state stands: always an icon, a word and a colour together. */
import type { JSX } from "preact";

import type { Outcome, Status } from "../types";
import { Icon, type IconName } from "./icons";

export const OUTCOMES: Outcome[] = ["running", "succeeded", "rejected", "failed", "expired", "stopped", "timed_out"];

interface Look {
  word: string;
  icon: IconName;
  tone: string;
  meaning: string;
}

export const LOOKS: Record<Outcome, Look> = {
  running: { word: "running", icon: "running", tone: "running", meaning: "It is under way." },
  succeeded: { word: "succeeded", icon: "done", tone: "good", meaning: "It did what it should." },
  rejected: { word: "rejected", icon: "rejected", tone: "rejected", meaning: "The file breaks the pipeline's rules; it is in quarantine." },
  failed: { word: "failed", icon: "failed", tone: "failed", meaning: "Something broke; nothing was loaded by half." },
  expired: { word: "expired", icon: "expired", tone: "expired", meaning: "Nobody decided in time." },
  stopped: { word: "stopped", icon: "stopped", tone: "stopped", meaning: "Somebody stopped it." },
  timed_out: { word: "timed out", icon: "clock", tone: "timed-out", meaning: "It took longer than it may." },
};

export const STATUSES: Record<Status, Look> = {
  ahead: { word: "ahead", icon: "ahead", tone: "ahead", meaning: "The run may still come here." },
  waiting: { word: "waiting", icon: "waiting", tone: "expired", meaning: "It waits." },
  running: { word: "running", icon: "running", tone: "running", meaning: "It is under way." },
  retrying: { word: "retrying", icon: "retry", tone: "rejected", meaning: "It failed and is tried again." },
  done: { word: "done", icon: "done", tone: "good", meaning: "It ended well." },
  failed: { word: "failed", icon: "failed", tone: "failed", meaning: "It ended with an error." },
  stopped: { word: "stopped", icon: "stopped", tone: "stopped", meaning: "Somebody stopped the run here." },
  not_taken: { word: "not taken", icon: "never", tone: "never", meaning: "The run did not come here." },
  elsewhere: { word: "elsewhere", icon: "ahead", tone: "stopped", meaning: "Its items have runs of their own." },
};

const WAITS: Look = { word: "waiting", icon: "waiting", tone: "expired", meaning: "It waits until a person decides." };

export function lookOf(outcome: string, waits = false): Look {
  if (waits && outcome === "running") return WAITS;
  return LOOKS[outcome as Outcome] ?? { word: outcome, icon: "never", tone: "stopped", meaning: "" };
}

function Badge({ look }: { look: Look }): JSX.Element {
  return (
    <span class={`badge tone-${look.tone}`} title={look.meaning}>
      <Icon name={look.icon} className={look.icon === "running" ? "turning" : ""} />
      {look.word}
    </span>
  );
}

/** `waits`: it is under way, and a person has to decide. */
export const OutcomeBadge = ({ outcome, waits = false }: { outcome: string; waits?: boolean }): JSX.Element => <Badge look={lookOf(outcome, waits)} />;
export const StatusBadge = ({ status }: { status: Status }): JSX.Element => <Badge look={STATUSES[status]} />;
