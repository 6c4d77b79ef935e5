/** Whether what is shown is fresh. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { moment } from "../format";
import type { Live } from "../live";

export function LiveMark({ live, on }: { live: Live<unknown>; on: boolean }): JSX.Element | null {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((before) => before + 1), 5000);
    return () => clearInterval(timer);
  }, []);
  if (!live.at) return null;
  const at = moment(new Date(live.at).toISOString());
  if (!on) return <span class="live off">as of {at}</span>;
  if (live.problem) return <span class="live lost">not reached since {at}</span>;
  return (
    <span class="live">
      <span class="dot" aria-hidden="true" /> live
    </span>
  );
}
