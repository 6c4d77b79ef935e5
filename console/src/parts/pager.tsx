/** From page to page; the cursor is in the address, and the browser's own way back leads to the page before. */
import type { JSX } from "preact";

import { plural } from "../format";
import { refine, route } from "../route";
import { Icon } from "./icons";

export function Pager({ next, shown, word }: { next: string | null; shown: number; word: string }): JSX.Element {
  const later = Boolean(route.value.query["next"]);
  return (
    <nav class="pager" aria-label="More of this list">
      {later && (
        <>
          <button type="button" class="button" onClick={() => refine({ next: undefined })}>
            Newest
          </button>
          <button type="button" class="button" onClick={() => history.back()}>
            <Icon name="left" /> Back
          </button>
        </>
      )}
      <span class="faint">
        {plural(shown, word)}
        {next ? " on this page" : later ? ", the last page" : ""}
      </span>
      {next && (
        <button type="button" class="button" onClick={() => refine({ next })}>
          Older <Icon name="right" />
        </button>
      )}
    </nav>
  );
}
