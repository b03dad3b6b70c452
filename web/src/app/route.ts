/**
 * Which page the hash names: "#/" is the buffer, "#/clips" the library, "#/clips/ID" a clip in it.
 * A clip that was shared by link has an address of its own, without a hash: "/shared/KEY".
 */

import { useSyncExternalStore } from "react";

export type Route =
  | { page: "buffer" }
  | { page: "clips"; clipId: string | null; search: string }
  | { page: "room" }
  | { page: "community"; scope: string | null; tab: string | null }
  | { page: "you" }
  | { page: "system" };

/** Stands for the whole server where a community's id could stand. */
const EVERYWHERE = "-";

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const [, page, first, second] = path.split("/").map(decoded);
  switch (page) {
    case "clips":
      return { page, clipId: first || null, search };
    case "community":
      return { page, scope: !first || first === EVERYWHERE ? null : first, tab: second || null };
    case "room":
    case "system":
    case "you":
      return { page };
    default:
      return { page: "buffer" };
  }
}

export function addressOf(route: Route): string {
  switch (route.page) {
    case "buffer":
      return "#/";
    case "clips":
      return `#${path("clips", route.clipId)}${route.search && `?${route.search}`}`;
    case "community":
      return `#${path("community", route.scope ?? (route.tab && EVERYWHERE), route.tab)}`;
    default:
      return `#/${route.page}`;
  }
}

export const ALL_CLIPS: Route = { page: "clips", clipId: null, search: "" };

/** The key of a clip that was shared by link, if that is what the address names. */
export function sharedKey(pathname: string): string | null {
  return /^\/shared\/([^/]+)\/?$/.exec(pathname)?.[1] ?? null;
}

const path = (...parts: (string | null)[]) =>
  parts
    .filter((part) => part !== null)
    .map((part) => `/${encodeURIComponent(part)}`)
    .join("");

/** What somebody typed into the address bar may not be encoded well. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function go(route: Route): void {
  location.hash = addressOf(route);
}

/** The same page looked at differently: nothing that "back" should return to. */
export function replace(route: Route): void {
  location.replace(addressOf(route));
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => location.hash));
}

function subscribe(tell: () => void): () => void {
  addEventListener("hashchange", tell);
  return () => removeEventListener("hashchange", tell);
}
