/** The REST API, one function an endpoint, relative to the page: the same on a laptop and on AWS. */
import { signOut, token } from "./session";
import type { Machine } from "./layout/definition";
import type * as api from "./types";

const BASE = new URL(".", location.href.split("#")[0]);

const PATIENCE = 30_000; // milliseconds; API Gateway itself gives up after 29 s

/** What went wrong, in words for a person; `status` is 0 when no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | null | undefined>;

async function call<Answer>(method: "GET" | "POST", path: string, options: { query?: Query; body?: unknown; signal?: AbortSignal; token?: string } = {}): Promise<Answer> {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  const shown = options.token ?? token.value;
  const answer = await answered(url, {
    method,
    headers: { ...(shown ? { Authorization: `Bearer ${shown}` } : {}), ...(method === "POST" ? { "Content-Type": "application/json" } : {}) },
    body: method === "POST" ? JSON.stringify(options.body ?? {}) : null,
    signal: AbortSignal.any([AbortSignal.timeout(PATIENCE), ...(options.signal ? [options.signal] : [])]),
    credentials: "omit",
    redirect: "error",
  });
  if (answer.ok) return (await answer.json()) as Answer;
  const said = (await answer.json().catch(() => ({}))) as { code?: string; message?: string; Message?: string };
  if (answer.status === 401 && !options.token) signOut("The token was not accepted: it has ended or was taken back.");
  if (answer.status === 403 && said.message === "Missing Authentication Token") {
    throw new Problem(404, "NoSuchEndpoint", "This stage's API does not have this yet: deploy it again."); // API Gateway's words for a path that it does not know
  }
  throw new Problem(answer.status, said.code ?? `HTTP ${answer.status}`, said.message ?? said.Message ?? meaning(answer.status));
}

async function answered(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    if (error instanceof DOMException && error.name === "TimeoutError") {
      throw new Problem(0, "NoAnswer", "The API did not answer within 30 seconds.");
    }
    throw new Problem(0, "Unreachable", "The API cannot be reached. Is the stage running, and this machine online?");
  }
}

function meaning(status: number): string {
  if (status === 401) return "The token is not accepted.";
  if (status === 403) return "Your role may not do this.";
  if (status === 404) return "The API does not know this.";
  if (status === 429 || status === 503) return "The API is busy; try again in a moment.";
  return `The API answered with status ${status}.`;
}

const part = encodeURIComponent;

export const health = (signal?: AbortSignal) => call<{ status: string; stage: string }>("GET", "health", { signal });
export const whoAmI = (shown: string) => call<api.Me>("GET", "me", { token: shown });

export interface RunsWanted {
  pipeline?: string | undefined;
  outcome?: string | undefined;
  since?: string | undefined;
  search?: string | undefined;
  limit?: number | undefined;
  next?: string | undefined;
}
export const runs = (wanted: RunsWanted, signal?: AbortSignal) =>
  call<{ runs: api.Run[]; next: string | null }>("GET", "runs", { query: { ...wanted }, signal });
export const run = (name: string, signal?: AbortSignal) => call<api.Run>("GET", `runs/${part(name)}`, { signal });
export const states = (name: string, brief: boolean, signal?: AbortSignal) =>
  call<api.States>("GET", `runs/${part(name)}/states`, { query: { brief: brief ? "true" : undefined }, signal });
export const definition = (name: string, signal?: AbortSignal) =>
  call<{ workflow: string; definition: Machine }>("GET", `runs/${part(name)}/definition`, { signal });
export const logs = (name: string, query: { step?: string | undefined; level?: string | undefined; next?: string | undefined }, signal?: AbortSignal) =>
  call<{ lines: api.LogLine[]; next: string | null; more: boolean }>("GET", `runs/${part(name)}/logs`, { query, signal });
export const notices = (name: string, signal?: AbortSignal) =>
  call<{ notices: api.Notice[] }>("GET", `runs/${part(name)}/notices`, { signal });
export const stop = (name: string, reason: string) => call<api.Run>("POST", `runs/${part(name)}/stop`, { body: { reason } });
export const redrive = (name: string) => call<{ run: string; new: boolean }>("POST", `runs/${part(name)}/redrive`);
export const approve = (name: string, reason: string) => call<api.Run>("POST", `runs/${part(name)}/approve`, { body: { reason } });
export const refuse = (name: string, reason: string) => call<api.Run>("POST", `runs/${part(name)}/refuse`, { body: { reason } });
export const approvals = (signal?: AbortSignal) => call<{ waiting: api.Waiting[] }>("GET", "approvals", { signal });

export const quarantine = (query: Query, signal?: AbortSignal) =>
  call<{ quarantine: api.Quarantined[]; next: string | null }>("GET", "quarantine", { query, signal });
export const quarantined = (name: string, signal?: AbortSignal) => call<api.Quarantined>("GET", `quarantine/${part(name)}`, { signal });
export const requeue = (name: string) => call<{ run: string; new: boolean }>("POST", `quarantine/${part(name)}/requeue`);

export const pipelines = (signal?: AbortSignal) => call<{ pipelines: api.Pipeline[] }>("GET", "pipelines", { signal });
export const pipeline = (name: string, signal?: AbortSignal) => call<api.Pipeline>("GET", `pipelines/${part(name)}`, { signal });
export const start = (name: string, body: Record<string, unknown>) =>
  call<{ run: string; new: boolean }>("POST", `pipelines/${part(name)}/runs`, { body });
export const startUpload = (name: string, file: { name: string; size: number }) =>
  call<{ url: string; fields: Record<string, string>; key: string; expires: string }>("POST", `pipelines/${part(name)}/uploads`, { body: file });
export const statisticsOfAll = (hours: number, signal?: AbortSignal) =>
  call<{ pipelines: api.Statistics[] }>("GET", "statistics", { query: { hours }, signal });
export const statistics = (name: string, hours: number, signal?: AbortSignal) =>
  call<api.Statistics>("GET", `pipelines/${part(name)}/statistics`, { query: { hours }, signal });

export const workflows = (signal?: AbortSignal) => call<{ workflows: api.WorkflowSummary[] }>("GET", "workflows", { signal });
export const workflow = (name: string, signal?: AbortSignal) => call<api.Workflow>("GET", `workflows/${part(name)}`, { signal });

export const serviceLevels = (signal?: AbortSignal) => call<{ service_levels: api.ServiceLevel[] }>("GET", "service-levels", { signal });
export const files = (query: Query, signal?: AbortSignal) => call<{ files: api.LandedFile[]; next: string | null; truncated: boolean }>("GET", "files", { query, signal });
export const lineage = (pipeline: string, key: string, signal?: AbortSignal) =>
  call<api.Lineage>("GET", "files/lineage", { query: { pipeline, key }, signal });
