/** What the REST API answers; its OpenAPI document says the same. */
import type { Machine } from "./layout/definition";

export type Outcome = "running" | "succeeded" | "rejected" | "failed" | "expired" | "stopped" | "timed_out";
export type Role = "viewer" | "operator" | "approver";
export type Action = "stop" | "redrive" | "requeue" | "start" | "upload" | "approve" | "refuse";

export interface Me {
  name: string;
  role: Role;
  may: Action[];
  stage: string;
}

export interface Rows {
  read: number | null;
  loaded: number | null;
  rejected: number | null;
}

export interface Run {
  name: string;
  pipeline: string;
  outcome: Outcome;
  started: string;
  ended: string | null;
  seconds: number | null;
  error: string | null;
  cause: string | null;
  input: Record<string, unknown> | null;
  output: Record<string, unknown> | null;
  redrives: number;
  file?: string | null;
  rows?: Rows | null;
  cost?: number | null;
}

export interface Page<Row> {
  rows: Row[];
  next: string | null;
}

export type Status = "ahead" | "waiting" | "running" | "retrying" | "done" | "failed" | "stopped" | "not_taken" | "elsewhere";

export interface Try {
  started: string;
  ended: string | null;
  seconds: number | null;
  error: string | null;
  cause: string | null;
}

/** What a run did in one state; `inside` is the Map or Parallel state around it. */
export interface StateVisit {
  name: string;
  type: string;
  inside: string | null;
  status: Status;
  visits: number;
  attempts: number;
  entered: string | null;
  left: string | null;
  seconds: number | null;
  input: unknown;
  output: unknown;
  error: string | null;
  cause: string | null;
  tries: Try[];
  iterations: { total: number | null; running: number; done: number; failed: number } | null;
  children: { name: string; outcome: string; started: string; ended: string | null }[] | null;
}

export interface States {
  run: string;
  outcome: Outcome;
  started: string;
  ended: string | null;
  states: StateVisit[];
}

export interface Column {
  name: string;
  type: string;
  required: boolean;
  unique: boolean;
  minimum: unknown;
  maximum: unknown;
  allowed: string[] | null;
  longest: number | null;
  precision: number;
  scale: number;
}

export interface Parameter {
  name: string;
  type: "date" | "integer" | "text";
  description?: string;
  required?: boolean;
  default?: string | null;
  [more: string]: unknown;
}

export interface Pipeline {
  name: string;
  kind: "file" | "batch";
  description: string;
  workflow: string;
  landing_prefix: string | null;
  bucket: string | null;
  format: string | null;
  columns: Column[];
  table: string | null;
  glue_job: string | null;
  largest_for_lambda: number | null;
  tolerate: Record<string, unknown> | null;
  usual_rows: [number, number] | null;
  parameters: Parameter[];
  schedule: string | null;
  next_tick?: string | null;
  reads: string | null;
}

export interface Hour {
  start: string;
  rows: number | null;
  seconds_median: number | null;
  [outcome: string]: number | string | null;
}

export interface Statistics {
  pipeline?: string;
  hours: Hour[];
  truncated: boolean;
}

export interface OffendingRow {
  row: number;
  line: number | null;
  column: string | null;
  rule: string;
  message: string;
  raw: string | null;
}

export interface Quarantined {
  run: string;
  pipeline: string;
  kind: "file" | "rows";
  since: string;
  file: string;
  rows: number;
  bad_rows: number;
  reason: string;
  held: string;
  bytes: number;
  report: string;
  requeued: string[];
  offending: OffendingRow[] | null;
}

export interface Waiting {
  run: string;
  pipeline: string;
  file: { bucket: string; key: string; [more: string]: unknown };
  rows: number;
  bad_rows: number;
  why: string[];
  asked: string;
  expires: string;
}

export interface Notice {
  subject: string;
  body: string;
  outcome: string;
  sent: string;
  folded?: boolean;
  [more: string]: unknown;
}

export interface LogLine {
  id: string;
  time: string;
  source: string;
  step: string;
  level: string;
  message: string;
}

export interface WorkflowSummary {
  name: string;
  description: string;
  states: number;
  pipelines: string[];
  findings: number | null;
}

export interface Finding {
  state: string;
  rule: string;
  remedy: string;
}

/** A way through a workflow, with the price of one run in US dollars. */
export interface Way {
  states: string[];
  fails: boolean;
  usd: number;
  usd_per_gb: number;
  seconds: number;
  transitions: number;
  lines: { what: string; quantity: number; unit: string; usd: number }[];
  warnings: string[];
}

export interface Costs {
  region: string;
  prices_as_of?: string;
  ways: Way[];
  left_out: number;
  why?: string;
}

export interface Workflow {
  name: string;
  description: string;
  pipelines: string[];
  made: string;
  definition: Machine;
  findings: Finding[] | null;
  cost: Costs | null;
}

export interface LandedFile {
  key: string;
  bucket?: string;
  size: number;
  /** Null when it is where it landed no longer. */
  landed: string | null;
  pipeline: string;
  run: string | null;
  outcome: Outcome | null;
  /** When it went to quarantine, of a rejected file. */
  quarantined: string | null;
}

export interface LineageRun extends Pick<Run, "name" | "pipeline" | "outcome" | "started" | "ended" | "seconds" | "error" | "cause" | "rows"> {
  parquet: { uri: string; key: string; size: number | null }[];
  quarantine: string | null;
  requeued: string[];
  table: string | null;
  loaded: number | null;
}

/** How a pipeline stands to the time by which its data is expected. */
export interface ServiceLevel {
  pipeline: string;
  expected_by: string;
  deadline: string;
  following: string;
  standing: "met" | "late" | "arrived" | "not_yet";
  run: string | null;
  at: string | null;
  why: string | null;
  seconds_late: number;
}

export interface Lineage {
  file: Omit<LandedFile, "size"> & { size: number | null };
  catalog_table: string | null;
  runs: LineageRun[];
}
