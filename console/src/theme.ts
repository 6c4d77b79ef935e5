/** Light, dark, or as the system has it; remembered in this browser. */
import { signal } from "@preact/signals";

const KEPT = "decant-theme";

export type Theme = "auto" | "light" | "dark";

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

const kept = localStorage.getItem(KEPT);

export const theme = signal<Theme>(kept === "light" || kept === "dark" ? kept : "auto");

export function applyTheme(): void {
  if (theme.value === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}

export function changeTheme(): void {
  localStorage.setItem(KEPT, NEXT[theme.value]);
  document.documentElement.dataset["theme"] = NEXT[theme.value];
  theme.value = NEXT[theme.value];
  applyTheme();
}
