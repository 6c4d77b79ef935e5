/** Who is signed in: a bearer token that this tab alone keeps, and forgets when it is closed. */
import { computed, signal } from "@preact/signals";

import type { Action, Me } from "./types";

const KEPT = "decant-token";

export const token = signal<string | null>(sessionStorage.getItem(KEPT));
export const me = signal<Me | null>(null);

/** What the stage called itself to somebody who is not signed in yet. */
export const toldStage = signal<string | null>(null);

/** The name of the stage that this page is of, once it is known. */
export const stage = computed(() => me.value?.stage ?? toldStage.value);

/** Whether it is on somebody's own machine, as `decant up` makes it. */
export const isLocal = (): boolean => stage.value === null || stage.value === "local";

/** Why the last token was given up: shown on the sign-in page. */
export const signedOutBecause = signal<string | null>(null);

/** Take a token out of the address bar (`#token=...`, as the terminal's link has it), before anything else; tell whether there was one. */
export function takeTokenFromAddress(): boolean {
  const found = /^#token=([^&]+)(?:&to=(.*))?$/.exec(location.hash);
  if (!found) return false;
  history.replaceState(null, "", `${location.pathname}#${found[2] ? decodeURIComponent(found[2]) : "/runs"}`);
  me.value = null;
  keep(decodeURIComponent(found[1] ?? ""));
  return true;
}

export function keep(text: string): void {
  sessionStorage.setItem(KEPT, text);
  signedOutBecause.value = null;
  token.value = text;
}

export function signOut(because: string | null = null): void {
  sessionStorage.removeItem(KEPT);
  signedOutBecause.value = because;
  me.value = null;
  token.value = null;
}

export function may(action: Action): boolean {
  return me.value?.may.includes(action) ?? false;
}

/** Who may, for a button that says why it is off. */
export function needed(action: Action): string {
  return action === "approve" || action === "refuse" ? "Only an approver may." : "Only an operator or an approver may.";
}
