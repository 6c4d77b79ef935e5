/** What should have come and did not, or came late: the pipelines' service levels. */
import type { JSX } from "preact";

import { Empty } from "../parts/basics";

export function Expected(): JSX.Element {
  return <Empty icon="done" title="Nothing is missing or late" />;
}
