/** From page to page; the cursor is in the address, and the browser's own way back leads to the page before. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { plural } from "../format";
import { goOn, refine, route, wentOn } from "../route";
import { Icon } from "./icons";

export function Pager({ next, shown, word }: { next: string | null; shown: number; word: string }): JSX.Element | null {
  const later = Boolean(route.value.query["next"]);
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // The button that led here is gone: whoever works with keys goes on in the list.
    if (wentOn() && document.activeElement === document.body) nav.current?.parentElement?.querySelector<HTMLElement>(".scroll")?.focus({ preventScroll: true });
  }, []);
  if (!shown && !next && !later) return null;
  return (
    <nav ref={nav} class="pager" aria-label="More of this list">
      {later && (
        <>
          <button type="button" class="button" onClick={() => refine({ next: undefined })}>
            Newest
          </button>
          {wentOn() && (
            <button type="button" class="button" onClick={() => history.back()}>
              <Icon name="left" /> Back
            </button>
          )}
        </>
      )}
      <span class="faint">
        {plural(shown, word)}
        {next ? " on this page" : later ? ", the last page" : ""}
      </span>
      {next && (
        <button type="button" class="button" onClick={() => goOn(next)}>
          Older <Icon name="right" />
        </button>
      )}
    </nav>
  );
}
