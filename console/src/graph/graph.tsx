/**
 * A workflow as a graph. With a run's states it shows where the run is and was.
 *
 * One stop of the Tab key: arrow keys go from state to state as they stand on the page, Enter opens one.
 */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { duration, plural } from "../format";
import type { Machine } from "../layout/definition";
import { layOut, type Node, type Picture } from "../layout/layout";
import { Icon } from "../parts/icons";
import { STATUSES } from "../parts/outcome";
import type { StateVisit } from "../types";
import { Arrows } from "./arrows";
import { neighbour } from "./neighbour";

const SMALLEST = 0.6; // of full size: smaller, nobody can read it, and the box scrolls instead
const STEPS = [0.5, 0.75, 1, 1.25, 1.5, 2];

export interface GraphProps {
  machine: Machine;
  visits?: Map<string, StateVisit> | undefined;
  chosen?: string | undefined;
  onChoose?: ((name: string) => void) | undefined;
  label: string;
}

export function Graph({ machine, visits, chosen, onChoose, label }: GraphProps): JSX.Element {
  const [allErrors, setAllErrors] = useState(false);
  const [zoom, setZoom] = useState<number | null>(null);
  const picture = useMemo(() => layOut(machine, { errors: allErrors ? "all" : "summary" }), [machine, allErrors]);
  const step = (by: number): void => {
    const at = STEPS.findIndex((each) => each >= (zoom ?? 1));
    setZoom(STEPS[Math.min(STEPS.length - 1, Math.max(0, at + by))] ?? 1);
  };
  const style = zoom === null
    ? { width: "100%", maxWidth: `${picture.width}px`, minWidth: `${Math.round(picture.width * SMALLEST)}px` }
    : { width: `${Math.round(picture.width * zoom)}px` };
  const box = useRef<HTMLDivElement>(null);
  const first = picture.nodes.find((node) => node.type === "Start");
  useEffect(() => {
    if (!box.current || !first) return;
    const size = box.current.scrollWidth / picture.width; // a narrow screen opens on the start, not on the left edge
    box.current.scrollLeft = (first.x + first.width / 2) * size - box.current.clientWidth / 2;
  }, [picture, zoom]);
  return (
    <div class="graph">
      <div class="graph-tools">
        <label class="check">
          <input type="checkbox" checked={allErrors} onChange={(event) => setAllErrors(event.currentTarget.checked)} /> every error path
        </label>
        <button type="button" class="button quiet" onClick={() => step(-1)} aria-label="Smaller" title="Smaller"><Icon name="minus" /></button>
        <button type="button" class="button quiet" onClick={() => step(1)} aria-label="Larger" title="Larger"><Icon name="plus" /></button>
        <button type="button" class="button quiet" onClick={() => setZoom(null)} aria-label="Fit the width" title="Fit the width"><Icon name="fit" /></button>
      </div>
      <div class="graph-box" ref={box}>
        <svg viewBox={`0 0 ${picture.width} ${picture.height}`} style={style} role="group" aria-label={label} class={visits ? "of-run" : ""}>
          <Arrows picture={picture} machine={machine} visits={visits} />
          <States picture={picture} visits={visits} chosen={chosen} onChoose={onChoose} />
        </svg>
      </div>
    </div>
  );
}

function States({ picture, visits, chosen, onChoose }: { picture: Picture } & Pick<GraphProps, "visits" | "chosen" | "onChoose">): JSX.Element {
  const states = picture.nodes.filter((node) => node.type !== "Start" && node.type !== "Error");
  const [at, setAt] = useState<string | null>(null);
  const here = chosen ?? at ?? states.find((node) => !node.box)?.id;
  const drawn = useRef(new Map<string, SVGGElement>());
  const wanted = useRef(false);
  useEffect(() => {
    if (wanted.current && at) drawn.current.get(at)?.focus();
    wanted.current = false;
  }, [at]);
  const onKeyDown = (node: Node) => (event: KeyboardEvent): void => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onChoose?.(node.id);
      return;
    }
    const next = neighbour(states, node, event.key);
    if (!next) return;
    event.preventDefault();
    wanted.current = true;
    setAt(next.id);
    drawn.current.get(next.id)?.focus();
  };
  return (
    <>
      {picture.nodes.map((node) =>
        node.type === "Start" ? <circle key={node.id} class="start" cx={node.x + 8} cy={node.y + 8} r={6} />
        : node.type === "Error" ? <ErrorSource key={node.id} node={node} />
        : (
          <g key={node.id} ref={(element) => { if (element) drawn.current.set(node.id, element); }}
            class={`state ${toneOf(visits?.get(node.id))} ${node.box ? "box" : ""} ${chosen === node.id ? "chosen" : ""} type-${node.type.toLowerCase()}`}
            role="button" tabindex={(at ?? here) === node.id ? 0 : -1} aria-label={words(node, visits?.get(node.id))} aria-pressed={chosen === node.id}
            onClick={() => { setAt(node.id); onChoose?.(node.id); }} onKeyDown={onKeyDown(node)}>
            <title>{node.comment || node.type}</title>
            <Shape node={node} />
            <Label node={node} visit={visits?.get(node.id)} />
          </g>
        ),
      )}
    </>
  );
}

function Shape({ node }: { node: Node }): JSX.Element {
  const { x, y, width, height } = node;
  if (node.type === "Choice") {
    const cut = 13;
    return <path class="shape" d={`M${x + cut} ${y}H${x + width - cut}L${x + width} ${y + height / 2}L${x + width - cut} ${y + height}H${x + cut}L${x} ${y + height / 2}Z`} />;
  }
  const round = node.type === "Wait" || node.type === "Succeed" || node.type === "Fail" ? height / 2 : node.box ? 8 : 5;
  return (
    <>
      <rect class="shape" x={x} y={y} width={width} height={height} rx={round} />
      {(node.type === "Succeed" || node.type === "Fail") && <rect class="shape inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={round - 3} />}
    </>
  );
}

function Label({ node, visit }: { node: Node; visit: StateVisit | undefined }): JSX.Element {
  const middle = node.box ? node.y + 18 : node.y + node.height / 2;
  const look = visit && STATUSES[visit.status];
  const left = node.x + (node.type === "Choice" ? 13 : 6);
  const pictured = look && visit.status !== "ahead" && visit.status !== "not_taken";
  const repeated = visit ? timesOf(visit) : "";
  const plate = Math.max(30, repeated.length * 6.6 + 12);
  return (
    <>
      {pictured && (
        <g class={look.icon === "running" ? "spin" : ""}>
          <svg x={left} y={middle - 7} width={14} height={14} viewBox="0 0 16 16" overflow="visible"><Icon name={look.icon} /></svg>
        </g>
      )}
      <text x={node.x + node.width / 2 + (pictured ? 9 : 0)} y={middle} dy="0.35em" text-anchor="middle">
        {node.name}
        {node.box && <tspan class="kind"> {node.type}</tspan>}
      </text>
      {repeated && (
        <g class="times">
          <rect x={node.x + node.width + 15 - plate} y={node.y - 8} width={plate} height={16} rx={8} />
          <text x={node.x + node.width + 15 - plate / 2} y={node.y} dy="0.35em" text-anchor="middle">{repeated}</text>
        </g>
      )}
    </>
  );
}

function ErrorSource({ node }: { node: Node }): JSX.Element {
  return (
    <g class="error-source">
      <rect x={node.x} y={node.y} width={node.width} height={node.height} rx={node.height / 2} />
      <text x={node.x + node.width / 2} y={node.y + node.height / 2} dy="0.35em" text-anchor="middle">any error</text>
    </g>
  );
}

const toneOf = (visit: StateVisit | undefined): string => (visit ? `tone-${STATUSES[visit.status].tone} is-${visit.status}` : "");

function timesOf(visit: StateVisit): string {
  if (visit.iterations?.total) return `${visit.iterations.done}/${visit.iterations.total}`;
  if (visit.attempts > 1) return `↻${visit.attempts}`;
  return visit.visits > 1 ? `×${visit.visits}` : "";
}

function words(node: Node, visit: StateVisit | undefined): string {
  const said = [node.name, node.type];
  if (visit) {
    said.push(STATUSES[visit.status].word);
    if (visit.attempts > 1) said.push(plural(visit.attempts, "attempt"));
    if (visit.visits > 1) said.push(plural(visit.visits, "visit"));
    if (visit.seconds !== null) said.push(duration(visit.seconds));
    if (visit.error) said.push(visit.error);
  }
  return said.join(", ");
}
