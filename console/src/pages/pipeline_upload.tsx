/** Drop a file: it goes straight to the landing bucket by a signed form, and its run is shown as soon as it is there. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";

import * as api from "../api";
import { bytes } from "../format";
import { Command } from "../parts/basics";
import { Icon } from "../parts/icons";
import { OutcomeBadge } from "../parts/outcome";
import { href } from "../route";
import { may, needed } from "../session";
import type { Pipeline, Run } from "../types";
import { waitingRuns } from "./waits";

interface Sent {
  name: string;
  size: number;
  state: "sending" | "landed" | "failed";
  part: number;
  problem?: string;
  run?: Run;
}

const LOOKS = 40; // times that a run is looked for, 1.5 s apart

export function Upload({ pipeline }: { pipeline: Pipeline }): JSX.Element {
  const [sent, setSent] = useState<Sent[]>([]);
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const allowed = may("upload");
  const change = (file: File, to: Partial<Sent>): void => setSent((before) => before.map((each) => (each.name === file.name ? { ...each, ...to } : each)));
  const send = async (file: File): Promise<void> => {
    setSent((before) => [{ name: file.name, size: file.size, state: "sending", part: 0 }, ...before.filter((each) => each.name !== file.name)]);
    try {
      const form = await api.startUpload(pipeline.name, { name: file.name, size: file.size });
      await post(form, file, (part) => change(file, { part }));
      change(file, { state: "landed", part: 1 });
      if (pipeline.kind === "file") await follow(pipeline.name, form.key, (run) => change(file, { run }));
    } catch (error) {
      change(file, { state: "failed", problem: (error as Error).message });
    }
  };
  const take = (files: FileList | null | undefined): void => {
    for (const file of files ?? []) void send(file);
  };
  return (
    <>
      <div class={`drop ${over ? "over" : ""}`}
        onDragOver={(event) => { event.preventDefault(); setOver(allowed); }} onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); setOver(false); if (allowed) take(event.dataTransfer?.files); }}>
        <Icon name="upload" />
        <p>Drop files here, or</p>
        <button type="button" class="button" disabled={!allowed} onClick={() => input.current?.click()}>
          Choose files
        </button>
        <input ref={input} class="unseen" type="file" multiple tabIndex={-1} aria-label="Files to upload" onChange={(event) => { take(event.currentTarget.files); event.currentTarget.value = ""; }} />
        <p class="faint">{allowed ? `They land in ${pipeline.landing_prefix ?? pipeline.reads ?? ""}` : needed("upload")}</p>
      </div>
      <Command text={`decant drop FILE --pipeline ${pipeline.name}`} />
      <ul class="sent" aria-live="polite">
        {sent.map((each) => (
          <li key={each.name}>
            <Icon name="file" /> <bdi class="cut">{each.name}</bdi> <span class="faint number">{bytes(each.size)}</span>
            <How sent={each} />
          </li>
        ))}
      </ul>
    </>
  );
}

function How({ sent }: { sent: Sent }): JSX.Element {
  if (sent.state === "failed") return <span class="form-problem"><Icon name="failed" /> {sent.problem}</span>;
  if (sent.state === "sending") return <progress max={1} value={sent.part} aria-label={`Sending ${sent.name}`} />;
  if (!sent.run) return <span class="faint">landed</span>;
  return (
    <a href={href("runs", sent.run.name)}>
      <OutcomeBadge outcome={sent.run.outcome} waits={waitingRuns.value.has(sent.run.name)} /> see the run
    </a>
  );
}

function post(form: { url: string; fields: Record<string, string> }, file: File, tell: (part: number) => void): Promise<void> {
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
  body.append("file", file); // last: S3 ignores what comes after the file
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much has been sent
    request.open("POST", form.url);
    request.upload.onprogress = (event) => tell(event.lengthComputable ? event.loaded / event.total : 0);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(refusal(request))));
    request.onerror = () => reject(new Error("The bucket cannot be reached from this browser."));
    request.send(body);
  });
}

function refusal(request: XMLHttpRequest): string {
  const said = new DOMParser().parseFromString(request.responseText, "text/xml").querySelector("Message")?.textContent;
  return said ?? `The bucket answered with status ${request.status}.`;
}

/** Look for the file's run until it is over. */
async function follow(pipeline: string, key: string, tell: (run: Run) => void): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const { runs } = await api.runs({ pipeline, search: key, limit: 1 });
    const run = runs[0];
    if (run) tell(run);
    if (run && run.outcome !== "running") return;
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}
