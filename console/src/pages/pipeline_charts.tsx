/** How a pipeline does over time: rows, runs that went wrong, and how long they take. */
import type { JSX } from "preact";

import * as api from "../api";
import { count, duration, moment, short } from "../format";
import { useLive } from "../live";
import { Card, Empty, Skeleton, Trouble } from "../parts/basics";
import { Chart } from "../parts/chart";
import { Choice } from "../parts/filters";
import { LOOKS, OUTCOMES } from "../parts/outcome";
import { refine, route } from "../route";
import type { Hour } from "../types";

const SPANS: [string, string][] = [["", "24 hours"], ["72", "3 days"], ["168", "7 days"]];

export function Charts({ name }: { name: string }): JSX.Element {
  const hours = Number(route.value.query["hours"] ?? 24);
  const found = useLive((stop) => api.statistics(name, hours, stop), 15_000, [name, hours]);
  const slots = found.data ? filled(found.data.hours, hours) : [];
  return (
    <Card title="How it does" id="charts" aside={<Choice name="Over" value={route.value.query["hours"]} options={SPANS} onChange={(value) => refine({ hours: value }, true)} />}>
      {!found.data && (found.problem ? <Trouble what="The figures cannot be shown" problem={found.problem} again={found.again} /> : <Skeleton lines={5} />)}
      {found.data && !slots.some((slot) => ended(slot)) && <Empty icon="never" title="No run ended in this time"><p>Drop a file below, or look further back.</p></Empty>}
      {found.data && slots.some((slot) => ended(slot)) && (
        <>
          <div class="charts">
            <Chart title="Rows loaded an hour" tone="running" times={times(slots)} values={slots.map((slot) => slot.rows ?? 0)} show={(value) => count(value)} axis={short} />
            <Chart title="Runs that went wrong" tone="failed" most={1} times={times(slots)} values={slots.map(wrong)} show={percent} axis={percent} />
            <Chart title="A run takes, in the middle" tone="stopped" times={times(slots)} values={slots.map((slot) => slot.seconds_median)} show={duration} axis={duration} />
          </div>
          {found.data.truncated && <p class="faint">There were more runs than could be looked at; the oldest are left out.</p>}
          <AsTable slots={slots.filter((slot) => ended(slot))} />
        </>
      )}
    </Card>
  );
}

const numberOf = (slot: Hour, outcome: string): number => Number(slot[outcome] ?? 0);
const ended = (slot: Hour): number => OUTCOMES.filter((outcome) => outcome !== "running").reduce((sum, outcome) => sum + numberOf(slot, outcome), 0);
const wrong = (slot: Hour): number | null => (ended(slot) ? 1 - numberOf(slot, "succeeded") / ended(slot) : null);
const percent = (value: number): string => `${Math.round(value * 100)} %`;
const times = (slots: Hour[]): number[] => slots.map((slot) => new Date(slot.start).getTime() / 1000);

/** One slot an hour, those without a run too. */
function filled(found: Hour[], hours: number): Hour[] {
  const known = new Map(found.map((hour) => [Math.floor(new Date(hour.start).getTime() / 3_600_000), hour]));
  const now = Math.floor(Date.now() / 3_600_000);
  return Array.from({ length: hours }, (_, slot) => {
    const hour = now - hours + 1 + slot;
    return known.get(hour) ?? { start: new Date(hour * 3_600_000).toISOString(), rows: 0, seconds_median: null };
  });
}

function AsTable({ slots }: { slots: Hour[] }): JSX.Element {
  const outcomes = OUTCOMES.filter((outcome) => slots.some((slot) => numberOf(slot, outcome)));
  return (
    <details class="as-table">
      <summary>The same as a table</summary>
      <div class="scroll" role="region" aria-label="Figures by hour" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Hour</th>
              {outcomes.map((outcome) => <th key={outcome} scope="col" class="right">{LOOKS[outcome].word}</th>)}
              <th scope="col" class="right">rows loaded</th>
              <th scope="col" class="right">median</th>
            </tr>
          </thead>
          <tbody>
            {slots.map((slot) => (
              <tr key={slot.start}>
                <td>{moment(slot.start)}</td>
                {outcomes.map((outcome) => <td key={outcome} class="right">{count(numberOf(slot, outcome))}</td>)}
                <td class="right">{count(slot.rows ?? 0)}</td>
                <td class="right">{slot.seconds_median === null ? "–" : duration(slot.seconds_median)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
