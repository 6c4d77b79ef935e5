/** Data that stays fresh while somebody looks at it. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { Problem } from "./api";

export interface Live<Data> {
  data: Data | null;
  problem: Problem | null;
  /** When the data came, in milliseconds since 1970, or null. */
  at: number | null;
  /** Ask again now. */
  again: () => void;
}

const SLOWEST = 30_000; // milliseconds between questions while the API does not answer

let answered: Promise<unknown> = Promise.resolve();

/**
 * Ask what stands around a page's own list: one question at a time, whoever asks.
 *
 * What is asked at the same time may start a Lambda each, and the list is asked for meanwhile too.
 */
export function inTurn<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const answer = answered.then(ask);
  answered = answer.catch(() => undefined);
  return answer;
}

/** Whether what was `found` stands on the screen: what is asked for only then does not hold up the drawing. */
export function useDrawn(found: boolean): boolean {
  const [drawn, setDrawn] = useState(false);
  useEffect(() => {
    if (!found || drawn) return undefined;
    const timer = setTimeout(() => setDrawn(true), 50); // milliseconds: effects run at a frame's start, before it is painted
    return () => clearTimeout(timer);
  }, [found, drawn]);
  return drawn;
}

/**
 * Ask, and ask again `every` so many milliseconds after the answer (null: once) as long as the tab is visible.
 *
 * What was shown stays when a later question fails; one that got no answer, or none of use, is asked again by itself.
 * `keys` say what is asked for: when one changes, what was shown goes.
 * Nothing is asked until it is `due`: what a page is about comes first, and what stands around it must not hold it up.
 */
export function useLive<Data>(ask: (signal: AbortSignal) => Promise<Data>, every: number | null, keys: unknown[], due = true): Live<Data> {
  const [state, setState] = useState<Omit<Live<Data>, "again">>({ data: null, problem: null, at: null });
  const [count, setCount] = useState(0);
  const about = JSON.stringify(keys);
  const shown = useRef(about);
  const latest = useRef({ ask, every });
  latest.current = { ask, every };

  useLayoutEffect(() => { // before the first paint: the answer is on its way while the browser draws
    if (!due) return undefined;
    const ended = new AbortController();
    let timer = 0;
    let asking = false;
    let missed = false; // what is asked once has not come yet
    let wait = latest.current.every ?? 0;
    if (shown.current !== about) {
      shown.current = about;
      setState({ data: null, problem: null, at: null });
    }
    const turn = async (): Promise<void> => {
      timer = 0;
      asking = true;
      let lost = false;
      try {
        const data = await latest.current.ask(ended.signal);
        if (ended.signal.aborted) return;
        wait = latest.current.every ?? 0;
        setState({ data, problem: null, at: Date.now() });
      } catch (error) {
        if (ended.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, "Unexpected", String(error));
        wait = Math.min(Math.max(wait, 1000) * 2, SLOWEST);
        setState((before) => ({ ...before, problem }));
        if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) return;
        lost = true;
      } finally {
        asking = false;
      }
      missed = lost && latest.current.every === null;
      if ((latest.current.every !== null || lost) && !document.hidden) timer = window.setTimeout(() => void turn(), wait);
    };
    const seen = (): void => {
      if (!document.hidden && !timer && !asking && (latest.current.every !== null || missed)) void turn();
    };
    document.addEventListener("visibilitychange", seen);
    void turn();
    return () => {
      ended.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [about, count, every === null, due]);

  return { ...state, again: () => setCount((before) => before + 1) };
}
