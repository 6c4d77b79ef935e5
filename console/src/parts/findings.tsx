/** How many findings lint has. */
import type { JSX } from "preact";

import { plural } from "../format";
import { Icon } from "./icons";

export function Findings({ count }: { count: number | null }): JSX.Element {
  if (count === null) return <span class="faint">lint was not asked</span>;
  return count ? (
    <span class="badge tone-rejected">
      <Icon name="rejected" /> {plural(count, "finding")}
    </span>
  ) : (
    <span class="badge tone-good">
      <Icon name="done" /> nothing to mend
    </span>
  );
}
