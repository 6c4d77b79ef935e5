/** How each pipeline did over the last day: a bar an hour; what did not succeed hangs below the line. */
import type { JSX } from "preact";

import * as api from "../api";
import { count, moment } from "../format";
import { inTurn, useLive } from "../live";
import { href, route } from "../route";
import type { Hour, Outcome, Statistics } from "../types";
import { lookOf, OUTCOMES } from "./outcome";

const HOURS = 24;
const WIDTH = 5;
const GAP = 1.5;
const ABOVE = 22;
const BELOW = 16;

let known: Statistics[] | undefined; // what somebody comes back to begins as it was left, or the list would move under them

export function Strips({ chosen, due }: { chosen: string | undefined; due: boolean }): JSX.Element | null {
  const found = useLive((stop) => inTurn(() => api.statisticsOfAll(HOURS, stop)), 10_000, [], due);
  known = found.data?.pipelines ?? known;
  const busy = (known ?? []).filter((each) => total(each.hours));
  if (!known && !found.problem) return <div class="strips-wait" aria-hidden="true" />; // the list below stays where it is
  if (!busy.length) return null;
  return (
    <section aria-labelledby="strips-title">
      <p class="strips-head"><span id="strips-title">The last 24 hours</span> <span class="faint">a bar an hour; what did not succeed hangs below the line</span></p>
      <ul class="strips">
      {busy.map((each) => (
        <li key={each.pipeline}>
          <a class="strip" href={href("runs", "", { ...route.value.query, next: undefined, pipeline: chosen === each.pipeline ? undefined : each.pipeline })}
            aria-current={chosen === each.pipeline ? "true" : undefined}>
            <span class="strip-name cut">{each.pipeline}</span>
            <Strip statistics={each} />
            <Sum hours={each.hours} />
          </a>
        </li>
      ))}
      </ul>
    </section>
  );
}

/** One bar an hour, oldest first, as long as the hour was busy. The words beside it say the same. */
export function Strip({ statistics }: { statistics: Statistics }): JSX.Element {
  const slots = byHour(statistics.hours);
  const most = Math.max(1, ...slots.flatMap((hour) => (hour ? [sumOf(hour, WELL), sumOf(hour, BADLY)] : [])));
  const width = HOURS * (WIDTH + GAP);
  return (
    <svg class="strip-bars" viewBox={`0 0 ${width} ${ABOVE + BELOW}`} preserveAspectRatio="none" aria-hidden="true">
      {slots.map((hour, slot) => hour && <Bar key={slot} hour={hour} x={slot * (WIDTH + GAP)} most={most} />)}
      <rect class="bar-line" x={0} y={ABOVE - 0.5} width={width} height={1} />
    </svg>
  );
}

function Bar({ hour, x, most }: { hour: Hour; x: number; most: number }): JSX.Element {
  return (
    <g>
      <title>{`${moment(hour.start)}: ${words(hour)}`}</title>
      <Stack hour={hour} outcomes={WELL} x={x} most={most} from={ABOVE} by={-ABOVE} />
      <Stack hour={hour} outcomes={BADLY} x={x} most={most} from={ABOVE} by={BELOW} />
    </g>
  );
}

function Stack(props: { hour: Hour; outcomes: Outcome[]; x: number; most: number; from: number; by: number }): JSX.Element {
  const sum = sumOf(props.hour, props.outcomes);
  const length = Math.max(0.2, Math.sqrt(sum / props.most)) * props.by; // by the root: one failure among hundreds shows
  let y = props.from;
  return (
    <>
      {props.outcomes.map((outcome) => {
        const part = sum ? (numberOf(props.hour, outcome) / sum) * length : 0;
        const from = y;
        y += part;
        return part !== 0 && <rect key={outcome} class={`fill-${lookOf(outcome).tone}`} x={props.x} y={Math.min(from, y)} width={WIDTH} height={Math.abs(part)} />;
      })}
    </>
  );
}

function byHour(hours: Hour[]): (Hour | undefined)[] {
  const now = Math.floor(Date.now() / 3_600_000);
  const found = new Map(hours.map((hour) => [Math.floor(new Date(hour.start).getTime() / 3_600_000), hour]));
  return Array.from({ length: HOURS }, (_, slot) => found.get(now - HOURS + 1 + slot));
}

const WELL: Outcome[] = ["succeeded", "running"];
const BADLY = OUTCOMES.filter((outcome) => !WELL.includes(outcome));

const numberOf = (hour: Hour, outcome: string): number => Number(hour[outcome] ?? 0);
const sumOf = (hour: Hour, outcomes: Outcome[]): number => outcomes.reduce((sum, outcome) => sum + numberOf(hour, outcome), 0);
const total = (hours: Hour[]): number => hours.reduce((sum, hour) => sum + sumOf(hour, OUTCOMES), 0);

const words = (hour: Hour): string =>
  OUTCOMES.filter((outcome) => numberOf(hour, outcome)).map((outcome) => `${count(numberOf(hour, outcome))} ${lookOf(outcome).word}`).join(", ");

/** How many ended how, each with its colour: what explains the bars. */
export function Sum({ hours }: { hours: Hour[] }): JSX.Element {
  const sums = [...WELL, ...BADLY]
    .map((outcome): [Outcome, number] => [outcome, hours.reduce((sum, hour) => sum + numberOf(hour, outcome), 0)])
    .filter(([, sum]) => sum);
  if (!sums.length) return <span class="strip-sum faint">no runs</span>;
  return (
    <span class="strip-sum faint">
      {sums.map(([outcome, sum]) => (
        <span key={outcome}>
          <svg class="swatch" viewBox="0 0 8 8" aria-hidden="true"><rect class={`fill-${lookOf(outcome).tone}`} width="8" height="8" rx="1.5" /></svg>
          {count(sum)} {lookOf(outcome).word}
        </span>
      ))}
    </span>
  );
}
