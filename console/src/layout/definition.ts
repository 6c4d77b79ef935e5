/** A workflow's definition (Amazon States Language): what a picture of it needs to know. */

export interface Machine {
  StartAt: string;
  Comment?: string;
  States: Record<string, State>;
}

export interface State {
  Type: string;
  Comment?: string;
  Next?: string;
  End?: boolean;
  Default?: string;
  Choices?: Choice[];
  Catch?: { ErrorEquals: string[]; Next: string }[];
  Retry?: unknown[];
  Branches?: Machine[];
  ItemProcessor?: Machine;
  Iterator?: Machine;
  Resource?: string;
  [field: string]: unknown;
}

export interface Choice {
  Next?: string;
  Variable?: string;
  Condition?: string;
  And?: Choice[];
  Or?: Choice[];
  Not?: Choice;
  [operator: string]: unknown;
}

export interface Arrow {
  target: string;
  kind: "next" | "choice" | "otherwise" | "error";
  label: string;
}

/** The branches of a Parallel state, or what a Map does with each item. */
export function parts(state: State): Machine[] {
  const inner = [...(state.Branches ?? [])];
  if (state.ItemProcessor) inner.push(state.ItemProcessor);
  else if (state.Iterator) inner.push(state.Iterator);
  return inner;
}

/** Every arrow that leaves a state, in the order in which Step Functions looks at them. */
export function arrows(state: State): Arrow[] {
  const found: Arrow[] = [];
  for (const choice of state.Choices ?? []) {
    if (choice.Next) found.push({ target: choice.Next, kind: "choice", label: condition(choice) });
  }
  if (state.Default) found.push({ target: state.Default, kind: "otherwise", label: "otherwise" });
  if (state.Next) found.push({ target: state.Next, kind: "next", label: "" });
  for (const target of new Set((state.Catch ?? []).map((caught) => caught.Next))) {
    found.push({ target, kind: "error", label: "error" });
  }
  return found;
}

const SIGNS: Record<string, string> = {
  Equals: "=",
  LessThanEquals: "≤",
  GreaterThanEquals: "≥",
  LessThan: "<",
  GreaterThan: ">",
  Matches: "~",
};

/** A Choice rule in a few words: `route = lambda`, `checks < 30`, `not (…)`. */
export function condition(rule: Choice): string {
  if (rule.Condition) return rule.Condition.replace(/^\{%\s*|\s*%\}$/g, "");
  if (rule.And) return rule.And.map(condition).join(" and ");
  if (rule.Or) return rule.Or.map(condition).join(" or ");
  if (rule.Not) return `not ${condition(rule.Not)}`;
  const operator = Object.keys(rule).find((key) => !["Variable", "Next", "Comment", "Assign", "Output"].includes(key));
  const variable = String(rule.Variable ?? "").replace(/^\$\.?/, "");
  if (!operator) return variable;
  const value = rule[operator];
  if (operator.startsWith("Is")) {
    const kind = operator.slice(2).replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
    return `${variable} ${value === false ? "is not" : "is"} ${kind}`;
  }
  const sign = Object.keys(SIGNS).find((end) => operator.replace(/Path$/, "").endsWith(end));
  const shown = operator.endsWith("Path") ? String(value).replace(/^\$\.?/, "") : String(value);
  return `${variable} ${sign ? SIGNS[sign] : operator} ${shown}`;
}

/** Every state with the names of the Map and Parallel states around it, outermost first. */
export function* everyState(machine: Machine, around: string[] = []): Generator<{ name: string; state: State; around: string[] }> {
  for (const [name, state] of Object.entries(machine.States)) {
    yield { name, state, around };
    for (const part of parts(state)) yield* everyState(part, [...around, name]);
  }
}
