/** Start a run by hand: of a file that is there, or of a batch with its parameters. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import * as api from "../api";
import { Command } from "../parts/basics";
import { Icon } from "../parts/icons";
import { href } from "../route";
import { may, needed } from "../session";
import type { Pipeline } from "../types";

export function Start({ pipeline }: { pipeline: Pipeline }): JSX.Element {
  const [state, setState] = useState<{ run?: string; isNew?: boolean; problem?: string; busy?: boolean }>({});
  const [values, setValues] = useState<Record<string, string>>({});
  const request = useRef<string>(crypto.randomUUID()); // the same request twice is one run: a second press starts nothing
  const allowed = may("start");
  const start = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setState({ busy: true });
    try {
      const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim()));
      const body = pipeline.kind === "file" ? { key: given["key"] ?? "" } : { parameters: given, request: request.current };
      const started = await api.start(pipeline.name, body);
      request.current = crypto.randomUUID();
      setState({ run: started.run, isNew: started.new });
    } catch (error) {
      setState({ problem: (error as Error).message });
    }
  };
  const fields = pipeline.kind === "file"
    ? [{ name: "key", label: "Key of a file in the landing bucket", hint: `${pipeline.landing_prefix ?? ""}name.${pipeline.format ?? "csv"}`, type: "text", required: true, note: "" }]
    : pipeline.parameters.map((each) => ({ name: each.name, label: each.name, hint: each.default ?? "", type: each.type, required: each.default === null || each.default === undefined, note: each.description ?? "" }));
  return (
    <form class="stack" onSubmit={(event) => void start(event)}>
      {!fields.length && <p class="faint">It takes no parameters.</p>}
      {fields.map((field) => (
        <label key={field.name}>
          {field.label}
          <input value={values[field.name] ?? ""} placeholder={field.hint} required={field.required} inputMode={field.type === "integer" ? "numeric" : "text"} autocomplete="off" spellcheck={false}
            onInput={(event) => setValues({ ...values, [field.name]: event.currentTarget.value })} />
          {field.note && <span class="faint">{field.note}</span>}
        </label>
      ))}
      <div class="deed">
        <button type="submit" class="button" disabled={!allowed || state.busy}>
          <Icon name="play" /> {state.busy ? "Starting…" : "Start"}
        </button>
        <Command text={command(pipeline, values)} />
      </div>
      {!allowed && <p class="faint">{needed("start")}</p>}
      <div aria-live="polite">
        {state.run && <p>{state.isNew ? "Started" : "It had run already"}: <a href={href("runs", state.run)}>{state.run}</a></p>}
        {state.problem && <p class="form-problem"><Icon name="failed" /> {state.problem}</p>}
      </div>
    </form>
  );
}

function command(pipeline: Pipeline, values: Record<string, string>): string {
  const quoted = (text: string): string => (/^[\w.\-/=]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const given = Object.entries(values).filter(([, value]) => value.trim());
  const options = pipeline.kind === "file" ? ` --key ${quoted(values["key"]?.trim() || `${pipeline.landing_prefix ?? ""}NAME`)}` : given.map(([name, value]) => ` -p ${quoted(`${name}=${value}`)}`).join("");
  return `decant runs start ${pipeline.name}${options}`;
}
