/** A joined room, as React sees it. */

import type { Room } from "livekit-client";
import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";

import { look, onBufferNews, type Seen, watch } from "./live";

export function useLive(room: Room, onNews: () => void): Seen {
  const seen = useRef<Seen | null>(null);
  const news = useRef(onNews);
  useEffect(() => {
    news.current = onNews;
  });
  useEffect(() => onBufferNews(room, () => news.current()), [room]);
  const subscribe = useCallback(
    (tell: () => void) =>
      watch(room, () => {
        seen.current = null;
        tell();
      }),
    [room],
  );
  return useSyncExternalStore(subscribe, () => (seen.current ??= look(room)));
}
