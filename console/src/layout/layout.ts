/**
 * Where everything of a workflow's picture goes: a pure function, without a browser.
 *
 * The console and `decant workflows draw` run this same code. Map and Parallel states are boxes around what is inside
 * them: each part is laid out on its own and then placed as one node, so that a picture never has crossing boxes.
 */
import { graphlib, layout as dagre } from "@dagrejs/dagre";

import { arrows, type Arrow, type Machine, parts, type State } from "./definition";

export interface Node {
  /** Unique in the picture: the state's name, `(start)`, or `(any error)`. */
  id: string;
  name: string;
  type: string;
  /** The box that it is in, or "". */
  inside: string;
  /** Left upper corner and size, in pixels of a picture at 100%. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** A box around other states (Map, Parallel): drawn first. */
  box: boolean;
  comment: string;
}

export interface Edge {
  from: string;
  to: string;
  kind: Arrow["kind"];
  /** As it fits; `title` has all of it. */
  label: string;
  title: string;
  points: [number, number][];
  /** Middle of the label. */
  labelX: number;
  labelY: number;
}

export interface Picture {
  width: number;
  height: number;
  nodes: Node[];
  edges: Edge[];
}

export interface Options {
  /** `summary` draws one source for all caught errors, `all` an arrow from each state that catches, `none` neither. */
  errors?: "summary" | "all" | "none";
}

export const START = "(start)";
export const ANY_ERROR = "(any error)";

const CHARACTER = 7.4; // pixels of a 12.5 px sans-serif letter, a little more than the average
const HEIGHT = 34;
const NARROWEST = 92;
const PAD = 14;
const TITLE = 26; // of a box, above what is inside
const LONGEST_LABEL = 30;

export function layOut(machine: Machine, options: Options = {}): Picture {
  const picture = place(machine, options.errors ?? "summary", "");
  const margin = 12;
  shift(picture, margin, margin);
  return { ...picture, width: Math.ceil(picture.width + 2 * margin), height: Math.ceil(picture.height + 2 * margin) };
}

/** The same for an engine that passes text alone: the definition and the answer are JSON. */
export function layOutText(definition: string, options = "{}"): string {
  return JSON.stringify(layOut(JSON.parse(definition) as Machine, JSON.parse(options) as Options));
}

function place(machine: Machine, errors: NonNullable<Options["errors"]>, inside: string): Picture {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 30, edgesep: 14, ranker: "network-simplex" });
  const within: Record<string, Picture[]> = {};
  const shown = errors === "none" ? reached(machine) : machine.States;
  if (!inside) graph.setNode(START, { width: 16, height: 16 });
  for (const [name, state] of Object.entries(shown)) {
    within[name] = parts(state).map((part) => place(part, errors, name));
    graph.setNode(name, size(name, state, within[name]));
  }
  const drawn: { key: string; from: string; arrow: Arrow; label: string }[] = [];
  const connect = (from: string, arrow: Arrow): void => {
    if (!graph.hasNode(arrow.target)) return;
    const label = shortened(arrow.label);
    const key = String(drawn.length);
    drawn.push({ key, from, arrow, label });
    graph.setEdge(from, arrow.target, {
      width: label ? label.length * 6.2 + 10 : 0, height: label ? 16 : 0, labelpos: "c",
      weight: arrow.kind === "error" ? 1 : arrow.kind === "next" ? 4 : 2,
    }, key);
  };
  if (!inside) connect(START, { target: machine.StartAt, kind: "next", label: "" });
  for (const [name, state] of Object.entries(shown)) {
    for (const arrow of arrows(state)) {
      if (arrow.kind !== "error" || errors === "all" || isOwnPath(machine, name, arrow)) connect(name, arrow);
    }
  }
  if (errors === "summary") addErrorSource(graph, machine, connect);
  dagre(graph);
  return collect(graph, shown, within, drawn, inside);
}

/** A caught error that few states share is a path of its own (an approval that expired), not the common way out. */
function isOwnPath(machine: Machine, from: string, arrow: Arrow): boolean {
  if (arrow.kind !== "error") return false;
  return catchers(machine, arrow.target) <= 2 && machine.States[from]?.Next !== arrow.target;
}

function catchers(machine: Machine, target: string): number {
  return Object.values(machine.States).filter((state) => (state.Catch ?? []).some((caught) => caught.Next === target)).length;
}

function addErrorSource(graph: graphlib.Graph, machine: Machine, connect: (from: string, arrow: Arrow) => void): void {
  for (const target of Object.keys(machine.States)) {
    const count = catchers(machine, target);
    if (count > 2) {
      const source = `${ANY_ERROR} ${target}`;
      graph.setNode(source, { width: 84, height: 24 });
      connect(source, { target, kind: "error", label: `of ${count} states` });
    }
  }
}

function size(name: string, state: State, within: Picture[]): { width: number; height: number } {
  const title = Math.max(NARROWEST, name.length * CHARACTER + 38);
  if (!within.length) return { width: Math.round(state.Type === "Choice" ? title + 18 : title), height: HEIGHT };
  const inner = within.reduce((sum, part) => sum + part.width, 0) + PAD * (within.length - 1);
  return {
    width: Math.max(title + 30, inner + 2 * PAD),
    height: TITLE + Math.max(...within.map((part) => part.height)) + 2 * PAD,
  };
}

function collect(
  graph: graphlib.Graph, states: Record<string, State>, within: Record<string, Picture[]>,
  drawn: { key: string; from: string; arrow: Arrow; label: string }[], inside: string,
): Picture {
  const picture: Picture = { width: 0, height: 0, nodes: [], edges: [] };
  for (const id of graph.nodes()) {
    const at = graph.node(id) as { x: number; y: number; width: number; height: number };
    const state = states[id];
    const x = at.x - at.width / 2;
    const y = at.y - at.height / 2;
    const kind = state ? state.Type : id === START ? "Start" : "Error";
    const inner = within[id] ?? [];
    picture.nodes.push({
      id, name: state ? id : kind === "Start" ? "start" : "any error", type: kind, inside,
      x, y, width: at.width, height: at.height, box: inner.length > 0, comment: String(state?.Comment ?? ""),
    });
    let left = x + (at.width - inner.reduce((sum, part) => sum + part.width, 0) - PAD * (inner.length - 1)) / 2;
    for (const part of inner) {
      shift(part, left, y + TITLE + PAD);
      left += part.width + PAD;
      picture.nodes.push(...part.nodes);
      picture.edges.push(...part.edges);
    }
  }
  for (const { key, from, arrow, label } of drawn) {
    const edge = graph.edge({ v: from, w: arrow.target, name: key }) as { points: { x: number; y: number }[]; x?: number; y?: number };
    picture.edges.push({
      from, to: arrow.target, kind: arrow.kind, label, title: arrow.label,
      points: edge.points.map((point): [number, number] => [point.x, point.y]),
      labelX: edge.x ?? 0, labelY: edge.y ?? 0,
    });
  }
  measure(picture);
  return picture;
}

/** Move a picture's left upper corner to zero and note its size; edges may run outside dagre's own box. */
function measure(picture: Picture): void {
  const xs = picture.nodes.flatMap((node) => [node.x, node.x + node.width]);
  const ys = picture.nodes.flatMap((node) => [node.y, node.y + node.height]);
  for (const edge of picture.edges) {
    const half = edge.label ? edge.label.length * 3.1 + 4 : 0;
    xs.push(...edge.points.map((point) => point[0]), ...(half ? [edge.labelX - half, edge.labelX + half] : []));
    ys.push(...edge.points.map((point) => point[1]));
  }
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  picture.width = Math.max(...xs) - left;
  picture.height = Math.max(...ys) - top;
  shift(picture, -left, -top);
}

function shift(picture: Picture, x: number, y: number): void {
  for (const node of picture.nodes) {
    node.x = round(node.x + x);
    node.y = round(node.y + y);
  }
  for (const edge of picture.edges) {
    edge.points = edge.points.map((point) => [round(point[0] + x), round(point[1] + y)]);
    edge.labelX = round(edge.labelX + x);
    edge.labelY = round(edge.labelY + y);
  }
}

/** The states that a run reaches without a caught error. */
function reached(machine: Machine): Record<string, State> {
  const found: Record<string, State> = {};
  const waiting = [machine.StartAt];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const state = machine.States[name];
    if (!state || found[name]) continue;
    found[name] = state;
    waiting.push(...arrows(state).filter((arrow) => arrow.kind !== "error").map((arrow) => arrow.target));
  }
  return found;
}

function shortened(label: string): string {
  return label.length <= LONGEST_LABEL ? label : `${label.slice(0, LONGEST_LABEL - 1)}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
