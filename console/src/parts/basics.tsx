/** Pieces that every page is made of. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Problem } from "../api";
import { moment, precisely, relative, utc } from "../format";
import { isLocal, stage } from "../session";
import { Icon, type IconName } from "./icons";

/** A time on the viewer's clock, in UTC on hover. */
export function Time({ iso, style = "moment" }: { iso: string | null | undefined; style?: "moment" | "full" | "relative" }): JSX.Element {
  if (!iso) return <Nothing />;
  const shown = style === "full" ? precisely(iso) : style === "relative" ? relative(iso) : moment(iso);
  return (
    <time class="number" dateTime={iso} title={utc(iso)}>
      {shown}
    </time>
  );
}

/** There is no value: a dash for the eye, words for the ear. */
export function Nothing({ means = "none" }: { means?: string }): JSX.Element {
  return (
    <span class="nothing">
      <span aria-hidden="true">–</span>
      <span class="unseen">{means}</span>
    </span>
  );
}

export function Card(props: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; id?: string; className?: string }): JSX.Element {
  const heading = props.id ? `${props.id}-title` : undefined;
  return (
    <section class={`card ${props.className ?? ""}`} id={props.id} aria-labelledby={props.title ? heading : undefined}>
      {props.title && (
        <header class="card-head">
          <h2 id={heading}>{props.title}</h2>
          {props.aside}
        </header>
      )}
      {props.children}
    </section>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p class="empty-title">{title}</p>
      {children && <div class="empty-more">{children}</div>}
    </div>
  );
}

/** What went wrong and what to do about it. */
export function Trouble({ problem, again, what }: { problem: Problem; again?: (() => void) | undefined; what: string }): JSX.Element {
  return (
    <div class="trouble" role="alert">
      <Icon name="failed" />
      <div>
        <p class="trouble-title">{what}</p>
        <p>{problem.message}</p>
        <p class="faint">{remedy(problem)}</p>
        {again && (
          <button type="button" class="button" onClick={again}>
            <Icon name="retry" /> Try again
          </button>
        )}
      </div>
    </div>
  );
}

function remedy(problem: Problem): string {
  if (problem.status === 0) return "On a laptop: is `decant up` still running? The page goes on by itself once it answers.";
  if (problem.status === 403) return "Sign in with a token of a role that may.";
  if (problem.status === 404) return "It may have been removed, or its name mistyped. The lists above show what there is.";
  if (problem.status >= 500) return `The service's own log says more (${problem.code}).`;
  return problem.code;
}

export function Skeleton({ lines = 4, tall = false }: { lines?: number; tall?: boolean }): JSX.Element {
  return (
    <div class="skeleton" role="status">
      <span class="unseen">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class={`skeleton-line ${tall ? "tall" : ""} w${line % 4}`} aria-hidden="true" />
      ))}
    </div>
  );
}

export function Copy({ text, what }: { text: string; what: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(false), 1600) : 0;
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    await putOnClipboard(text);
    setCopied(true);
  };
  return (
    <button type="button" class="copy" title={`Copy ${what}`} aria-label={copied ? "Copied" : `Copy ${what}`} onClick={() => void copy()}>
      <Icon name={copied ? "check" : "copy"} />
    </button>
  );
}

async function putOnClipboard(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea"); // a page served without TLS has no clipboard of its own
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** The command that does the same, on the stage that is shown; `anywhere`: it asks no stage. */
export function Command({ text, anywhere = false }: { text: string; anywhere?: boolean }): JSX.Element {
  const whole = anywhere || isLocal() ? text : text.replace(/^decant /, `decant --stage ${stage.value} `);
  return (
    <span class="command">
      <code>{whole}</code>
      <Copy text={whole} what="the command" />
    </span>
  );
}

/** Names and values, side by side. */
export function Facts({ facts }: { facts: [string, ComponentChildren][] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A JSON value, indented; long ones scroll inside their box. */
export function Json({ value, label }: { value: unknown; label: string }): JSX.Element {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <div class="json">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Copy text={text} what={label} />
    </div>
  );
}

/** Says news to those who listen instead of look; only the newest, and not more often than every few seconds. */
export function Said({ text }: { text: string }): JSX.Element {
  const [said, setSaid] = useState("");
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, last.current + 3000 - Date.now());
    const timer = setTimeout(() => {
      last.current = Date.now();
      setSaid(text);
    }, wait);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="unseen" aria-live="polite">
      {said}
    </p>
  );
}
