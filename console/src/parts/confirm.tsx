/** Something that a person does: a button, what it will do, a last question, and the command that does the same. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Problem } from "../api";
import { may, me, needed } from "../session";
import type { Action } from "../types";
import { Command } from "./basics";
import { Icon, type IconName } from "./icons";

export interface Deed {
  action: Action;
  title: string;
  icon: IconName;
  danger?: boolean;
  /** What will happen, in a sentence or two. */
  says: ComponentChildren;
  command: string;
  /** Asked for when the deed needs a reason: its usual text. */
  reason?: string;
  act: (reason: string) => Promise<unknown>;
}

export function DeedButton({ deed }: { deed: Deed }): JSX.Element {
  const [open, setOpen] = useState(false);
  const allowed = may(deed.action);
  return (
    <div class="deed">
      <button type="button" class={`button ${deed.danger ? "danger" : ""}`} disabled={!allowed} onClick={() => setOpen(true)} title={allowed ? undefined : needed(deed.action)}>
        <Icon name={deed.icon} /> {deed.title}
      </button>
      <Command text={deed.command} />
      {!allowed && me.value && <span class="faint">{needed(deed.action)}</span>}
      {open && <Question deed={deed} close={() => setOpen(false)} />}
    </div>
  );
}

function Question({ deed, close }: { deed: Deed; close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const act = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get("reason") ?? "").trim();
    if (deed.reason !== undefined && !reason) {
      setProblem("Say why: it is kept with the run.");
      return;
    }
    setBusy(true);
    try {
      await deed.act(reason);
      dialog.current?.close();
      document.getElementById("main")?.focus({ preventScroll: true }); // the button goes when the run is no longer as it was
    } catch (error) {
      setProblem(error instanceof Problem ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question-title">
      <form onSubmit={(event) => void act(event)}>
        <h2 id="question-title">{deed.title}?</h2>
        <div>{deed.says}</div>
        {deed.reason !== undefined && (
          <label>
            Reason
            <input name="reason" defaultValue={deed.reason} maxLength={500} autocomplete="off" autofocus />
          </label>
        )}
        <div>
          <p class="faint">The same in a terminal:</p>
          <Command text={deed.command} />
        </div>
        {problem && (
          <p class="form-problem" role="alert">
            <Icon name="failed" /> {problem}
          </p>
        )}
        <div class="dialog-end">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={`button ${deed.danger ? "danger solid" : "primary"}`} disabled={busy}>
            {busy ? "Working…" : deed.title}
          </button>
        </div>
      </form>
    </dialog>
  );
}
