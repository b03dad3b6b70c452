/** Keys, as names of what they do. Pure but for the hook at the end. */

import { useEffect, useRef } from "react";

export type Shortcut =
  | "save"
  | "postRoll"
  | "live"
  | "help"
  | "in"
  | "out"
  | "frameBack"
  | "frameForward"
  | "secondBack"
  | "secondForward"
  | "play"
  | "close"
  | "search"
  | "pick"
  | "pickAll"
  | "remove"
  | "up"
  | "down"
  | `preset${1 | 2 | 3 | 4 | 5}`;

const KEYS: Record<string, Shortcut> = {
  s: "save",
  p: "postRoll",
  l: "live",
  "?": "help",
  "[": "in",
  "]": "out",
  " ": "play",
  "/": "search",
  x: "pick",
  a: "pickAll",
  Delete: "remove",
  ArrowUp: "up",
  ArrowDown: "down",
  Escape: "close",
  "1": "preset1",
  "2": "preset2",
  "3": "preset3",
  "4": "preset4",
  "5": "preset5",
};

interface Pressed {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

export function shortcutOf(event: Pressed): Shortcut | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (event.key === "ArrowLeft") return event.shiftKey ? "secondBack" : "frameBack";
  if (event.key === "ArrowRight") return event.shiftKey ? "secondForward" : "frameForward";
  return KEYS[event.key] ?? KEYS[event.key.toLowerCase()] ?? null;
}

const TYPING = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]";
/** Elements that do something of their own with some keys. */
const OWN_KEYS: [string, Shortcut[]][] = [
  ["button, a, summary, [role=menuitem]", ["play"]],
  [
    "input[type=radio], video, [role=slider], [role=menu]",
    ["frameBack", "frameForward", "secondBack", "secondForward", "up", "down", "play"],
  ],
];

function isTaken(target: EventTarget | null, shortcut: Shortcut): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest(TYPING)) return true;
  return OWN_KEYS.some(([selector, keys]) => keys.includes(shortcut) && target.closest(selector));
}

/** Call the handler of a pressed key; one without a handler is left alone. Nothing fires behind a dialog. */
export function useShortcuts(handlers: Partial<Record<Shortcut, () => void>>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const shortcut = event.defaultPrevented ? null : shortcutOf(event);
      const handler = shortcut && latest.current[shortcut];
      if (!shortcut || !handler || isTaken(event.target, shortcut)) return;
      if (document.querySelector("[role=dialog][aria-modal=true]")) return;
      event.preventDefault();
      handler();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}
