/** What should have come and did not, or came late: the pipelines' service levels. */
import type { JSX } from "preact";

import { duration } from "../format";
import type { Live } from "../live";
import { Empty, Nothing, Skeleton, Time, Trouble } from "../parts/basics";
import { Icon, type IconName } from "../parts/icons";
import { href } from "../route";
import type { ServiceLevel } from "../types";

const STANDINGS: Record<ServiceLevel["standing"], [string, IconName, string]> = {
  met: ["in time", "done", "good"],
  late: ["missing", "failed", "failed"],
  arrived: ["came late", "clock", "rejected"],
  not_yet: ["not yet due", "ahead", "stopped"],
};

export function Expected({ found }: { found: Live<{ service_levels: ServiceLevel[] } | null> }): JSX.Element {
  if (!found.data) return found.problem ? <Trouble what="What is missing or late cannot be shown" problem={found.problem} again={found.again} /> : <Skeleton lines={4} tall />;
  const levels = found.data.service_levels;
  if (!levels.length) {
    return (
      <Empty icon="clock" title="Nothing is expected by a time">
        <p>A pipeline that declares when its data is expected shows here whether it came.</p>
      </Empty>
    );
  }
  return (
    <div class="scroll" role="region" aria-label="What is expected" tabIndex={0}>
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">Standing</th>
            <th scope="col">Pipeline</th>
            <th scope="col">Expected by</th>
            <th scope="col" class="right">Last deadline</th>
            <th scope="col" class="right">Came</th>
            <th scope="col" class="right">Next deadline</th>
          </tr>
        </thead>
        <tbody>
          {levels.map((level) => (
            <Row key={level.pipeline} level={level} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ level }: { level: ServiceLevel }): JSX.Element {
  const [word, icon, tone] = STANDINGS[level.standing];
  const due = level.standing !== "not_yet";
  return (
    <tr>
      <td>
        <span class={`badge tone-${tone}`}>
          <Icon name={icon} /> {word}
        </span>
        {level.seconds_late > 0 && <span class="under">by {duration(level.seconds_late)}</span>}
      </td>
      <td class="grow">
        <a class="row-link" href={href("pipelines", level.pipeline)}>{level.pipeline}</a>
        {level.why && <span class="under">{level.why}</span>}
        {!due && <span class="under">The stage was not there a day before the last deadline: the next one is the first that counts.</span>}
      </td>
      <td data-label="Expected by">{level.expected_by}</td>
      <td data-label="Last deadline" class="right">{due ? <Time iso={level.deadline} /> : <Nothing means="none that counts" />}</td>
      <td data-label="Came" class="right">{level.at ? (level.run ? <a href={href("runs", level.run)}><Time iso={level.at} /></a> : <Time iso={level.at} />) : <Nothing means="not yet" />}</td>
      <td data-label="Next deadline" class="right"><Time iso={level.following} /></td>
    </tr>
  );
}
