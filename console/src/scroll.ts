/** Where on a page the person was: going back leads there again, a link leads to the top. */

const LATEST = 3000; // milliseconds that a list may take to come; later, nobody expects the page to move

const places = new Map<string, number>();

let traversed = false;

interface Navigations extends EventTarget {
  readonly currentEntry?: { key: string } | null;
}

// Not every browser has it; without it every page begins at its top.
const navigation = (globalThis as { navigation?: Navigations }).navigation;

const place = (): string => navigation?.currentEntry?.key ?? "";

navigation?.addEventListener("navigate", (event) => {
  places.set(place(), scrollY);
  traversed = (event as Event & { navigationType?: string }).navigationType === "traverse";
});

history.scrollRestoration = "manual"; // the browser would do it before anything is there

/** Go to where the person was on this page, as soon as it is long enough; return what ends the wait. */
export function arriveOnPage(): () => void {
  const wanted = traversed ? (places.get(place()) ?? 0) : 0;
  traversed = false;
  scrollTo(0, wanted);
  if (!wanted) return () => undefined;
  const grown = new ResizeObserver(() => {
    if (document.documentElement.scrollHeight < wanted + innerHeight) return;
    scrollTo(0, wanted);
    end();
  });
  const timer = setTimeout(() => end(), LATEST);
  const end = (): void => {
    grown.disconnect();
    clearTimeout(timer);
    for (const moved of MOVED) removeEventListener(moved, end);
  };
  for (const moved of MOVED) addEventListener(moved, end, { passive: true });
  grown.observe(document.body);
  return end;
}

const MOVED = ["wheel", "touchmove", "keydown"] as const; // the person goes elsewhere already
