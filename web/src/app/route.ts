/** Which page the hash names: "#/" is the buffer, "#/clips" the library, "#/clips/ID" a clip in it. */

import { useSyncExternalStore } from "react";

export type Route = { page: "buffer" } | { page: "clips"; clipId: string | null };

export function parseRoute(hash: string): Route {
  const [, page, id] = hash.replace(/^#/, "").split("/");
  return page === "clips" ? { page, clipId: id ? decodeURIComponent(id) : null } : { page: "buffer" };
}

export function addressOf(route: Route): string {
  if (route.page === "buffer") return "#/";
  return route.clipId ? `#/clips/${encodeURIComponent(route.clipId)}` : "#/clips";
}

export function go(route: Route): void {
  location.hash = addressOf(route);
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => location.hash));
}

function subscribe(tell: () => void): () => void {
  addEventListener("hashchange", tell);
  return () => removeEventListener("hashchange", tell);
}
