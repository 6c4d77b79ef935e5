/** Where the person is: the part of the address after `#`. Filters live in it, so that every view is a link. */
import { signal } from "@preact/signals";

export interface Route {
  /** `runs`, `files`, `pipelines`, `workflows`. */
  page: string;
  /** What of it (a run's name, a file's key), or "". */
  of: string;
  query: Record<string, string>;
}

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [page = "", ...rest] = path.split("/");
  return { page: page || "runs", of: decoded(rest.join("/")), query: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a `%` typed by hand: shown as it is, and not found
  }
}

export function href(page: string, of = "", query: Record<string, string | undefined> = {}): string {
  const filled = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = new URLSearchParams(filled).toString();
  return `#/${page}${of ? `/${encodeURIComponent(of)}` : ""}${search ? `?${search}` : ""}`;
}

export const route = signal<Route>(parse(location.hash));

addEventListener("hashchange", () => {
  route.value = parse(location.hash);
});

/** Change filters of the current view; an empty value takes one away. `replace` leaves no step to go back to. */
export function refine(change: Record<string, string | undefined>, replace = false): void {
  const { page, of, query } = route.value;
  const next = href(page, of, { ...query, ...change });
  if (replace) {
    history.replaceState(null, "", next);
    route.value = parse(location.hash);
  } else {
    location.hash = next;
  }
}

/** Go on to the next page of a list; `wentOn` tells whether this page was reached so, and so whether a way back leads to one. */
export function goOn(next: string): void {
  const { page, of, query } = route.value;
  history.pushState({ wentOn: true }, "", href(page, of, { ...query, next }));
  route.value = parse(location.hash);
}

export const wentOn = (): boolean => Boolean((history.state as { wentOn?: boolean } | null)?.wentOn);

export function go(to: string): void {
  location.hash = to;
}
