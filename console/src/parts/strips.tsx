/** How each pipeline did over the last day: a bar an hour, its colours the outcomes. */
import type { JSX } from "preact";

import * as api from "../api";
import { count, moment, plural } from "../format";
import { useLive } from "../live";
import { href, route } from "../route";
import type { Hour, Statistics } from "../types";
import { lookOf, OUTCOMES } from "./outcome";

const HOURS = 24;
const WIDTH = 5;
const GAP = 1.5;
const HEIGHT = 28;

export function Strips({ chosen }: { chosen: string | undefined }): JSX.Element | null {
  const found = useLive((stop) => api.statisticsOfAll(HOURS, stop), 10_000, []);
  const busy = (found.data?.pipelines ?? []).filter((each) => total(each.hours));
  if (!busy.length) return null;
  return (
    <ul class="strips" aria-label="Each pipeline, the last 24 hours">
      {busy.map((each) => (
        <li key={each.pipeline}>
          <a class="strip" href={href("runs", "", { ...route.value.query, next: undefined, pipeline: chosen === each.pipeline ? undefined : each.pipeline })}
            aria-current={chosen === each.pipeline ? "true" : undefined}>
            <span class="strip-name cut">{each.pipeline}</span>
            <Strip statistics={each} />
            <span class="strip-sum faint">{summary(each.hours)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** One bar an hour, oldest first, as high as the hour was busy. */
export function Strip({ statistics }: { statistics: Statistics }): JSX.Element {
  const slots = byHour(statistics.hours);
  const most = Math.max(1, ...slots.map((hour) => (hour ? runsOf(hour) : 0)));
  return (
    <svg class="strip-bars" viewBox={`0 0 ${HOURS * (WIDTH + GAP)} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={summary(statistics.hours)}>
      {slots.map((hour, slot) => (
        <Bar key={slot} hour={hour} x={slot * (WIDTH + GAP)} most={most} />
      ))}
    </svg>
  );
}

function Bar({ hour, x, most }: { hour: Hour | undefined; x: number; most: number }): JSX.Element {
  const sum = hour ? runsOf(hour) : 0;
  if (!hour || !sum) return <rect class="bar-none" x={x} y={HEIGHT - 2} width={WIDTH} height={2} />;
  const height = Math.max(5, (Math.sqrt(sum) / Math.sqrt(most)) * HEIGHT); // by the root: one failure among hundreds shows
  let y = HEIGHT;
  return (
    <g>
      <title>{`${moment(hour.start)}: ${words(hour)}`}</title>
      {OUTCOMES.map((outcome) => {
        const part = (numberOf(hour, outcome) / sum) * height;
        y -= part;
        return part > 0 && <rect key={outcome} class={`fill-${lookOf(outcome).tone}`} x={x} y={y} width={WIDTH} height={part} />;
      })}
    </g>
  );
}

function byHour(hours: Hour[]): (Hour | undefined)[] {
  const now = Math.floor(Date.now() / 3_600_000);
  const found = new Map(hours.map((hour) => [Math.floor(new Date(hour.start).getTime() / 3_600_000), hour]));
  return Array.from({ length: HOURS }, (_, slot) => found.get(now - HOURS + 1 + slot));
}

const numberOf = (hour: Hour, outcome: string): number => Number(hour[outcome] ?? 0);
const runsOf = (hour: Hour): number => OUTCOMES.reduce((sum, outcome) => sum + numberOf(hour, outcome), 0);
const total = (hours: Hour[]): number => hours.reduce((sum, hour) => sum + runsOf(hour), 0);

const words = (hour: Hour): string =>
  OUTCOMES.filter((outcome) => numberOf(hour, outcome)).map((outcome) => `${count(numberOf(hour, outcome))} ${lookOf(outcome).word}`).join(", ");

/** `42 runs, 2 failed`. */
export function summary(hours: Hour[]): string {
  const bad = OUTCOMES.filter((outcome) => !["succeeded", "running"].includes(outcome))
    .map((outcome): [string, number] => [outcome, hours.reduce((sum, hour) => sum + numberOf(hour, outcome), 0)])
    .filter(([, sum]) => sum);
  return [plural(total(hours), "run"), ...bad.map(([outcome, sum]) => `${count(sum)} ${lookOf(outcome).word}`)].join(", ");
}
