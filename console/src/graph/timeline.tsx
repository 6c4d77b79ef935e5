/** When each state of a run was at work: one bar a state, its failed attempts in another colour. */
import type { JSX } from "preact";

import { duration } from "../format";
import { Icon } from "../parts/icons";
import { STATUSES } from "../parts/outcome";
import type { StateVisit, Try } from "../types";

const TICKS = 4;

export function Timeline(props: { visits: StateVisit[]; started: string; ended: string | null; chosen: string | undefined; onChoose: (name: string) => void }): JSX.Element {
  const begin = new Date(props.started).getTime();
  const end = Math.max(props.ended ? new Date(props.ended).getTime() : Date.now(), begin + 1);
  const place = (iso: string | null): number => Math.min(100, Math.max(0, ((iso ? new Date(iso).getTime() : end) - begin) / (end - begin) * 100));
  const shown = props.visits.filter((visit) => visit.entered && !["Choice", "Pass", "Succeed", "Fail"].includes(visit.type));
  return (
    <div class="timeline">
      <div class="timeline-scale" aria-hidden="true">
        {Array.from({ length: TICKS + 1 }, (_, tick) => (
          <span key={tick} style={{ left: `${(tick / TICKS) * 100}%` }}>{duration(((end - begin) / 1000) * (tick / TICKS))}</span>
        ))}
      </div>
      <ol>
        {shown.map((visit) => (
          <li key={visit.name}>
            <button type="button" class={`timeline-row ${props.chosen === visit.name ? "chosen" : ""}`} onClick={() => props.onChoose(visit.name)}>
              <span class={`timeline-name cut tone-${STATUSES[visit.status].tone}`}>
                <Icon name={STATUSES[visit.status].icon} /> {visit.name}
                <span class="unseen">, {STATUSES[visit.status].word}</span>
              </span>
              <span class="timeline-track" aria-hidden="true">
                <span class={`timeline-bar ${visit.visits > 1 ? "again" : ""} tone-${STATUSES[visit.status].tone}`} style={{ left: `${place(visit.entered)}%`, width: `${place(visit.left) - place(visit.entered)}%` }} />
                {visit.tries.filter((each) => each.error).map((each: Try, index) => (
                  <span key={index} class="timeline-bar tone-failed" style={{ left: `${place(each.started)}%`, width: `${place(each.ended) - place(each.started)}%` }} />
                ))}
              </span>
              <span class="timeline-took number">{visit.seconds === null ? "…" : duration(visit.seconds)}</span>
            </button>
          </li>
        ))}
      </ol>
      <p class="faint">Choices and passes take no time and are left out.{shown.some((visit) => visit.visits > 1) && " A striped bar goes from the first to the last visit; its figure is the time of all visits."}</p>
    </div>
  );
}
