/** The console: one page, whose address after `#` says what is shown. */
import { render } from "preact";
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

import "uplot/dist/uPlot.min.css";

import "./styles/index.css";

import * as api from "./api";
import { Empty, Trouble } from "./parts/basics";
import { Files } from "./pages/files";
import { FilePage } from "./pages/file";
import { PipelinePage } from "./pages/pipeline";
import { Pipelines } from "./pages/pipelines";
import { RunPage } from "./pages/run";
import { Runs } from "./pages/runs";
import { WorkflowPage } from "./pages/workflow";
import { Workflows } from "./pages/workflows";
import { SignIn } from "./pages/sign_in";
import { parse, route } from "./route";
import { me, signOut, takeTokenFromAddress, token } from "./session";
import { Shell } from "./shell";
import { applyTheme } from "./theme";

const TITLES: Record<string, string> = { runs: "Runs", files: "Files", pipelines: "Pipelines", workflows: "Workflows" };

function Page(): JSX.Element {
  const { page, of } = route.value;
  document.title = `${of || TITLES[page] || "Nothing here"} · Decant`;
  if (page === "runs") return of ? <RunPage key={of} name={of} /> : <Runs />;
  if (page === "files") return of ? <FilePage key={of} fileKey={of} /> : <Files />;
  if (page === "pipelines") return of ? <PipelinePage key={of} name={of} /> : <Pipelines />;
  if (page === "workflows") return of ? <WorkflowPage key={of} name={of} /> : <Workflows />;
  return (
    <Empty icon="never" title="There is no such page">
      <a href="#/runs">See the runs</a>
    </Empty>
  );
}

function Console(): JSX.Element {
  if (!token.value) return <SignIn />;
  return (
    <Shell>
      <Entering>
        <Page />
      </Entering>
    </Shell>
  );
}

const AGAIN = 5000; // milliseconds until the API is asked again who one is

/** A token that was kept or came with a link: find out whose it is, while the page asks for what it shows. */
function Entering({ children }: { children: ComponentChildren }): JSX.Element {
  const [problem, setProblem] = useState<api.Problem | null>(null);
  const [turn, setTurn] = useState(0);
  const shown = token.value;
  useLayoutEffect(() => {
    if (me.value || !shown) return undefined;
    let timer = 0;
    api
      .whoAmI(shown)
      .then((found) => {
        setProblem(null);
        if (token.value === shown) me.value = found;
      })
      .catch((error: unknown) => {
        if (token.value !== shown) return;
        if (error instanceof api.Problem && error.status === 401) signOut("The token was not accepted: it has ended or was taken back.");
        else {
          setProblem(error instanceof api.Problem ? error : new api.Problem(0, "Unexpected", String(error)));
          timer = window.setTimeout(() => setTurn((before) => before + 1), AGAIN);
        }
      });
    return () => clearTimeout(timer);
  }, [turn, shown]);
  return problem ? <Trouble what="Signing in did not work" problem={problem} again={() => setTurn(turn + 1)} /> : <>{children}</>;
}

function arrive(): void {
  if (takeTokenFromAddress()) route.value = parse(location.hash);
}

arrive();
addEventListener("hashchange", arrive);
for (const missed of ["dragover", "drop"] as const) addEventListener(missed, (event) => event.preventDefault()); // a file beside the mark would replace the page
applyTheme();
const root = document.getElementById("app");
if (root) render(<Console />, root);
