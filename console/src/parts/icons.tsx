/** Small pictures, 16 by 16, drawn in the colour of the text beside them. They say nothing alone: a word stands beside. */
import type { JSX } from "preact";

const PATHS = {
  done: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM4.9 8.2l2.2 2.2 4-4.6",
  failed: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8",
  rejected: "M8 1.8 14.6 13.6H1.4ZM8 6.2v3.4M8 11.4v.4",
  running: "M8 1.5a6.5 6.5 0 1 1-6.5 6.5",
  waiting: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM6.2 5.6v4.8M9.8 5.6v4.8",
  stopped: "M3 3h10v10H3Z",
  clock: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 4.4V8l2.5 1.7",
  expired: "M4 1.8h8M4 14.2h8M4.8 1.8c0 3.4 3.2 4 3.2 6.2s-3.2 2.8-3.2 6.2M11.2 1.8c0 3.4-3.2 4-3.2 6.2s3.2 2.8 3.2 6.2",
  never: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM4.8 8h6.4",
  ahead: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z",
  copy: "M5.5 5.5h8v8h-8ZM10.5 5.5v-3h-8v8h3",
  check: "M2.8 8.4 6.4 12l6.8-7.6",
  file: "M3.5 1.5h6l3 3v10h-9ZM9.5 1.5v3h3",
  table: "M2 3h12v10H2ZM2 6.4h12M6.4 3v10",
  upload: "M8 10.6V2.2M4.8 5.2 8 2l3.2 3.2M2.4 10.4v3.2h11.2v-3.2",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M3 13l1.2-1.2M11.8 4.2 13 3",
  moon: "M13.4 9.8A5.9 5.9 0 0 1 6.2 2.6a5.9 5.9 0 1 0 7.2 7.2Z",
  contrast: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 1.5v13M8 5h5.6M8 8h6.4M8 11h5.6",
  out: "M6.4 2.4H2.6v11.2h3.8M10 4.8 13.2 8 10 11.2M13 8H6",
  right: "M6 3.4 10.6 8 6 12.6",
  left: "M10 3.4 5.4 8l4.6 4.6",
  close: "M3.6 3.6l8.8 8.8M12.4 3.6l-8.8 8.8",
  bell: "M3.2 11.6h9.6c-1-1-1.4-2-1.4-4.4a3.4 3.4 0 0 0-6.8 0c0 2.4-.4 3.4-1.4 4.4ZM6.6 13.8a1.6 1.6 0 0 0 2.8 0",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.4 6V2.4H6M10 2.4h3.6V6M13.6 10v3.6H10M6 13.6H2.4V10",
  play: "M4.4 2.6 13 8l-8.6 5.4Z",
  retry: "M13.2 8a5.2 5.2 0 1 1-1.6-3.7M13.4 2v3h-3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "" }: { name: IconName; className?: string }): JSX.Element {
  return (
    <svg class={`icon ${className}`} viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a funnel, what is poured from one vessel into another. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d="M2.5 3h15l-5.8 7.7V17H8.3v-6.3z" fill="currentColor" />
    </svg>
  );
}
