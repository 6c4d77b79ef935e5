/** What narrows a list; each choice is in the address. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export function Filters({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="filters" role="group" aria-label={title}>
      {children}
    </div>
  );
}

export function Choice(props: { name: string; value: string | undefined; options: [string, string][]; onChange: (value: string | undefined) => void }): JSX.Element {
  const known = props.options.some(([value]) => value === (props.value ?? ""));
  return (
    <label class="choice">
      <span>{props.name}</span>
      <select value={props.value ?? ""} onChange={(event) => props.onChange(event.currentTarget.value || undefined)}>
        {props.options.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
        {!known && <option value={props.value}>{props.value}</option>}
      </select>
    </label>
  );
}

/** A word to look for; asked a moment after the last letter. */
export function Search({ value, onChange }: { value: string | undefined; onChange: (value: string | undefined) => void }): JSX.Element {
  const timer = useRef(0);
  const asked = useRef(value);
  const [text, setText] = useState(value ?? "");
  useEffect(() => {
    if (value !== asked.current) setText(value ?? ""); // the address changed by itself: the way back, or "Clear"
    asked.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (now: string): void => {
    setText(now);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      asked.current = now.trim() || undefined;
      onChange(asked.current);
    }, 300);
  };
  return (
    <label class="choice search">
      <span>Name</span>
      <input type="search" value={text} placeholder="part of a file's or run's name" onInput={(event) => typed(event.currentTarget.value)} />
    </label>
  );
}
