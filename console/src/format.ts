/** Numbers, times and sizes as people read them. */

const number = new Intl.NumberFormat("en-GB");
const compact = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });

export const count = (value: number): string => number.format(value);
export const short = (value: number): string => compact.format(value);

/** `1 run`, `2,000 runs`. */
export const plural = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let scaled = value / 1000;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${units[unit]}`;
}

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (seconds < 0.0005) return "0 s";
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h${Math.floor((whole % 3600) / 60) ? ` ${Math.floor((whole % 3600) / 60)} min` : ""}`;
  return `${Math.floor(whole / 86_400)} d${Math.floor((whole % 86_400) / 3600) ? ` ${Math.floor((whole % 86_400) / 3600)} h` : ""}`;
}

/** A span that goes on, to the second: `6 s`, `3 min 5 s`. */
export const roughly = (seconds: number): string => (seconds < 60 ? `${Math.round(seconds)} s` : duration(seconds));

/** US dollars; what is less than a hundredth of a cent is said to be so. */
export function dollars(value: number): string {
  if (value === 0) return "$0";
  if (value < 0.0001) return "< $0.0001";
  if (value < 0.1) return `$${value.toFixed(4)}`;
  return `$${value < 100 ? value.toFixed(2) : count(Math.round(value))}`;
}

/** The viewer's own clock; the day too unless it is today. */
export function moment(iso: string, now = new Date()): string {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return iso;
  const same = when.toDateString() === now.toDateString();
  return same ? clock.format(when) : `${day.format(when)}${when.getFullYear() === now.getFullYear() ? "" : ` ${when.getFullYear()}`} ${clock.format(when).slice(0, 5)}`;
}

export const precisely = (iso: string): string => full.format(new Date(iso));

/** `2026-11-22 04:36:11 UTC`. */
export const utc = (iso: string): string => {
  const when = new Date(iso);
  return Number.isNaN(when.getTime()) ? iso : `${when.toISOString().slice(0, 19).replace("T", " ")} UTC`;
};

/** `just now`, `5 min ago`, `in 2 h`. */
export function relative(iso: string, now = Date.now()): string {
  const seconds = (now - new Date(iso).getTime()) / 1000;
  if (Number.isNaN(seconds)) return iso;
  if (Math.abs(seconds) < 5) return "just now";
  const span = roughly(Math.abs(seconds) < 60 ? Math.abs(seconds) : Math.round(Math.abs(seconds) / 60) * 60);
  return seconds > 0 ? `${span} ago` : `in ${span}`;
}

/** A key's part below its pipeline's prefix, `2026/orders.csv` of `incoming/orders/2026/orders.csv`; else its last part. */
export const fileName = (key: string): string => /^incoming\/[^/]+\/(.+)$/.exec(key)?.[1] ?? (key.slice(key.lastIndexOf("/") + 1) || key);
