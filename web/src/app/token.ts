/** The bearer token: out of the address once, then kept for this tab only. */

import { useSyncExternalStore } from "react";

const KEY = "lookback.token";
const listeners = new Set<() => void>();

/** Move `?token=` from the address bar (and so from history and screenshots) into this tab's storage. */
export function takeTokenFromAddress(address: Location = location): void {
  const url = new URL(address.href);
  const token = url.searchParams.get("token");
  if (token === null) return;
  url.searchParams.delete("token");
  history.replaceState(history.state, "", url);
  if (token) setToken(token);
}

export function getToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function setToken(token: string | null): void {
  if (token) sessionStorage.setItem(KEY, token.trim());
  else sessionStorage.removeItem(KEY);
  for (const tell of listeners) tell();
}

export function useToken(): string | null {
  return useSyncExternalStore(subscribe, getToken);
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}
