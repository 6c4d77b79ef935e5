/** What people were told about a run. */
import type { JSX } from "preact";

import * as api from "../api";
import { useLive } from "../live";
import { Card, Skeleton, Time, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";

export function Notices({ run, over }: { run: string; over: boolean }): JSX.Element {
  const found = useLive((stop) => api.notices(run, stop), null, [run, over]);
  return (
    <Card title="Notices sent" id="notices">
      {!found.data && (found.problem ? <Trouble what="The notices cannot be shown" problem={found.problem} again={found.again} /> : <Skeleton lines={2} />)}
      {found.data && !found.data.notices.length && <p class="faint">{over ? "Nobody was told anything about this run." : "Nobody has been told anything yet."}</p>}
      {found.data?.notices.map((notice, index) => (
        <details key={index} class="notice">
          <summary>
            <Icon name="bell" /> <bdi>{notice.subject}</bdi> <span class="faint"><Time iso={notice.sent} />{notice.folded ? ", counted in a digest instead of sent" : ""}</span>
          </summary>
          <pre>{notice.body}</pre>
        </details>
      ))}
    </Card>
  );
}
