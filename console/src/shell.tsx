/** What stands around every page: where one can go, who one is, light or dark. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Icon, type IconName, Mark } from "./parts/icons";
import { href, route } from "./route";
import { arriveOnPage } from "./scroll";
import { me, signOut, stage } from "./session";
import { changeTheme, type Theme, theme } from "./theme";

const PLACES: [string, string][] = [
  ["runs", "Runs"],
  ["files", "Files"],
  ["pipelines", "Pipelines"],
  ["workflows", "Workflows"],
];

const SHOWN: Record<Theme, [IconName, string]> = {
  auto: ["contrast", "as the system"],
  light: ["sun", "light"],
  dark: ["moon", "dark"],
};

export function ThemeButton(): JSX.Element {
  const [icon, word] = SHOWN[theme.value];
  return (
    <button type="button" class="button quiet" onClick={changeTheme} title={`Colours: ${word}`} aria-label={`Colours: ${word}. Change`}>
      <Icon name={icon} />
    </button>
  );
}

export function Shell({ children }: { children: ComponentChildren }): JSX.Element {
  const main = useRef<HTMLElement>(null);
  const { page, of } = route.value;
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
    return arriveOnPage();
  }, [page, of]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        Skip to what the page is about
      </a>
      <header class="top">
        <a class="brand" href="#/runs">
          <Mark /> Decant <Stage />
        </a>
        <nav aria-label="Pages">
          {PLACES.map(([name, title]) => (
            <a key={name} href={href(name)} aria-current={page === name ? (of ? "true" : "page") : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="top-end">
          <Who />
          <ThemeButton />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function Stage(): JSX.Element | null {
  return stage.value === null ? null : <span class="stage" title="The stage that this console shows">{stage.value}</span>;
}

function Who(): JSX.Element | null {
  const holder = me.value;
  if (!holder) return null;
  return (
    <>
      <span class="who" title={`Signed in as ${holder.name}`}>
        <span class="who-name">{holder.name}</span> <span class="role">{holder.role}</span>
      </span>
      <button type="button" class="button quiet" onClick={() => signOut()} title="Sign out" aria-label="Sign out">
        <Icon name="out" />
      </button>
    </>
  );
}
