/** Bars over time, drawn by uPlot; fetched only when a page has some. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";

import { moment } from "../format";
import { theme } from "../theme";

const HEIGHT = 150;
const HALF = 1800; // seconds: the bar of an hour stands on its beginning, and half of it before

interface ChartProps {
  title: string;
  /** The name of a colour: `--<tone>-solid`. */
  tone: string;
  /** Seconds since 1970. */
  times: number[];
  values: (number | null)[];
  /** The highest value that can be, where there is one. */
  most?: number;
  show: (value: number) => string;
  axis: (value: number) => string;
}

export function Chart(props: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const about = JSON.stringify([props.times, props.values, theme.value]);
  useEffect(() => {
    let drawn: uPlot | null = null;
    let gone = false;
    const resized = new ResizeObserver(() => {
      if (drawn && box.current) drawn.setSize({ width: box.current.clientWidth, height: HEIGHT });
    });
    const draw = async (): Promise<void> => {
      const { default: Plot } = await import("uplot");
      if (gone || !box.current) return;
      drawn?.destroy();
      drawn = new Plot(options(Plot, props, box.current, setAt), [props.times, props.values], box.current);
      resized.observe(box.current);
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const again = (): void => void draw();
    dark.addEventListener("change", again);
    void draw();
    return () => {
      gone = true;
      dark.removeEventListener("change", again);
      resized.disconnect();
      drawn?.destroy();
    };
  }, [about]);
  const value = at === null ? null : props.values[at];
  return (
    <figure class="chart">
      <figcaption>
        <strong>{props.title}</strong>{" "}
        <span class="faint number">{at !== null && value !== null && value !== undefined ? `${moment(new Date((props.times[at] ?? 0) * 1000).toISOString())}: ${props.show(value)}` : ""}</span>
      </figcaption>
      <div ref={box} class="chart-box" role="img" aria-label={spoken(props)} />
    </figure>
  );
}

function spoken({ title, values, show }: ChartProps): string {
  const known = values.filter((value): value is number => value !== null);
  return known.length ? `${title}: from ${show(Math.min(...known))} to ${show(Math.max(...known))}; the table below has every hour` : title;
}

function options(Plot: typeof uPlot, props: ChartProps, box: HTMLElement, setAt: (at: number | null) => void): uPlot.Options {
  const colour = (name: string): string => {
    const probe = document.createElement("span"); // light-dark() is only resolved in a property
    probe.style.color = `var(${name})`;
    box.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const ink = colour("--ink-faint");
  const line = colour("--line");
  const axis = { stroke: ink, font: "11px system-ui, sans-serif", grid: { stroke: line, width: 1 }, ticks: { show: false } };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { range: (_plot, low, high) => [low - HALF, high + HALF] }, y: { range: (_plot, _low, high) => [0, props.most ?? (high > 0 ? high * 1.1 : 1)] } },
    axes: [
      { ...axis, grid: { show: false }, space: 84, size: 26, values: (_plot, splits) => splits.map((each) => moment(new Date(each * 1000).toISOString()).replace(/(:\d\d):00$/, "$1")) },
      { ...axis, size: 52, space: 36, values: (_plot, splits) => splits.map((each) => props.axis(each)) },
    ],
    series: [{}, { stroke: colour(`--${props.tone}-solid`), fill: colour(`--${props.tone}-solid`), width: 0, paths: Plot.paths.bars?.({ size: [0.75, 40], radius: 0.15 }), points: { show: false } }],
    hooks: { setCursor: [(plot) => setAt(plot.cursor.idx ?? null)] },
  };
}
