/** The way in: a bearer token, kept for this tab only. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import * as api from "../api";
import { useLive } from "../live";
import { Command } from "../parts/basics";
import { Icon, Mark } from "../parts/icons";
import { isLocal, keep, me, signedOutBecause, stage, toldStage } from "../session";
import { ThemeButton } from "../shell";

export function SignIn(): JSX.Element {
  const [problem, setProblem] = useState<string | null>(signedOutBecause.value);
  const [busy, setBusy] = useState(false);
  const health = useLive((stop) => api.health(stop), null, []);
  useEffect(() => {
    toldStage.value = health.data?.stage ?? null;
  }, [health.data]);
  const enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget as HTMLFormElement).get("token") ?? "").trim();
    if (!text) {
      setProblem("Paste a token first.");
      return;
    }
    setBusy(true);
    try {
      me.value = await api.whoAmI(text);
      keep(text);
    } catch (error) {
      setProblem(error instanceof api.Problem && error.status === 401 ? "This token is not accepted. It may have ended, or lack a character." : String((error as Error).message));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in" id="main">
      <form class="card" onSubmit={(event) => void enter(event)}>
        <h1>
          <Mark /> Decant
        </h1>
        <p class="faint">Runs, files and workflows of this stage.</p>
        <label for="token">Bearer token</label>
        <input id="token" name="token" type="password" autocomplete="off" spellcheck={false} autofocus aria-describedby="token-note" aria-invalid={problem ? "true" : undefined} />
        {problem && (
          <p class="form-problem" role="alert">
            <Icon name="failed" /> {problem}
          </p>
        )}
        <button class="button primary" type="submit" disabled={busy}>
          {busy ? "Asking…" : "Sign in"}
        </button>
        <p class="faint" id="token-note">
          It is kept for this tab only and forgotten when the tab is closed. {isLocal() ? <>The link that <code>decant up</code> printed has one.</> : "Whoever looks after the stage makes one:"}
        </p>
        {!isLocal() && <Command text={`decant tokens add NAME --stage ${stage.value} --role viewer`} anywhere />}
      </form>
      <div class="sign-in-end">
        <ThemeButton />
      </div>
    </main>
  );
}
