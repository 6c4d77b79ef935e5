/** The arrows of a graph; with a run, those that it took stand out. */
import type { JSX } from "preact";

import { arrows, everyState, type Machine } from "../layout/definition";
import { ANY_ERROR, type Edge, type Picture } from "../layout/layout";
import type { StateVisit } from "../types";

type Visits = Map<string, StateVisit>;

export function Arrows({ picture, machine, visits }: { picture: Picture; machine: Machine; visits: Visits | undefined }): JSX.Element {
  const took = visits ? taken(machine, visits) : null;
  return (
    <g class="arrows" aria-hidden="true">
      <defs>
        {["plain", "took", "error"].map((kind) => (
          <marker key={kind} id={`tip-${kind}`} class={`tip ${kind}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" markerUnits="userSpaceOnUse">
            <path d="M0 0.5 8 4 0 7.5Z" />
          </marker>
        ))}
      </defs>
      {picture.edges.map((edge, index) => {
        const was = took?.(edge) ?? false;
        const kind = edge.kind === "error" ? "error" : was ? "took" : "plain";
        return (
          <g key={index} class={`arrow ${edge.kind} ${was ? "took" : ""}`}>
            <path d={curve(edge.points)} marker-end={`url(#tip-${kind})`} />
            {edge.label && edge.kind !== "error" && (
              <g>
                <title>{edge.title}</title>
                <rect x={edge.labelX - edge.label.length * 3.1 - 4} y={edge.labelY - 8} width={edge.label.length * 6.2 + 8} height={16} rx={4} />
                <text x={edge.labelX} y={edge.labelY} dy="0.35em" text-anchor="middle">{edge.label}</text>
              </g>
            )}
          </g>
        );
      })}
    </g>
  );
}

/** Which arrows a run took: of those that leave a state, the one whose target was entered next; of a loop, each that was. */
function taken(machine: Machine, visits: Visits): (edge: Edge) => boolean {
  const next = new Map<string, string>();
  for (const { name, state } of everyState(machine)) {
    const left = visits.get(name)?.left;
    if (!left) continue;
    const reached = arrows(state)
      .map((arrow): [string, string] => [arrow.target, visits.get(arrow.target)?.entered ?? ""])
      .filter(([, entered]) => entered >= left)
      .sort((one, other) => one[1].localeCompare(other[1]));
    if (reached[0]) next.set(name, reached[0][0]);
  }
  return (edge) => {
    if (edge.from === "(start)") return Boolean(visits.get(edge.to)?.entered);
    if (edge.from.startsWith(ANY_ERROR)) return [...visits.values()].some((visit) => visit.status === "failed" && next.get(visit.name) === edge.to);
    const from = visits.get(edge.from);
    const to = visits.get(edge.to);
    if (!from?.entered || !to?.entered) return false;
    return next.get(edge.from) === edge.to || (from.visits > 1 && to.visits > 0 && (edge.kind !== "error" || Boolean(from.error)));
  };
}

/** Through the middle of every stretch, round at every bend. */
function curve(points: [number, number][]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let drawn = `M${first[0]} ${first[1]}`;
  rest.forEach((point, index) => {
    const following = rest[index + 1];
    if (!following) drawn += `L${point[0]} ${point[1]}`;
    else if (index === rest.length - 2) drawn += `Q${point[0]} ${point[1]} ${following[0]} ${following[1]}`;
    else drawn += `Q${point[0]} ${point[1]} ${(point[0] + following[0]) / 2} ${(point[1] + following[1]) / 2}`;
  });
  return rest.length > 1 ? drawn.replace(/L[^LQ]*$/, "") : drawn;
}
