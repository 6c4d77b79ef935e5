/** What an approver has to know: why a run waits, for what, and until when. */
import type { JSX } from "preact";

import * as api from "../api";
import { count, plural } from "../format";
import { useLive } from "../live";
import { Time } from "../parts/basics";
import { Icon } from "../parts/icons";
import { may } from "../session";
import type { Waiting } from "../types";

export function Asked({ run }: { run: string }): JSX.Element {
  const found = useLive((stop) => api.approvals(stop), 5000, [run]);
  const asked = found.data?.waiting.find((each) => each.run === run);
  return (
    <section class="waits" aria-label="Why it waits">
      <h2>
        <Icon name="waiting" /> Waits for approval{asked && `: ${asked.why.join("; ")}`}
      </h2>
      <p>
        {asked ? <Rows asked={asked} /> : "Nothing is loaded until an approver decides."}
      </p>
    </section>
  );
}

function Rows({ asked }: { asked: Waiting }): JSX.Element {
  return (
    <>
      <span class="number">{plural(asked.rows, "row")}</span>{asked.bad_rows ? <>, <strong class="number">{count(asked.bad_rows)} of them bad</strong></> : ", none bad"}. Nothing is loaded until an approver decides{may("approve") ? " below" : ""}.{" "}
      <span class="faint">
        Asked <Time iso={asked.asked} style="relative" />; expires <Time iso={asked.expires} style="relative" />.
      </span>
    </>
  );
}
