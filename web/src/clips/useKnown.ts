/** Rooms and tags to filter by: those of every clip that this page has seen. */

import { useIsFetching, useQueryClient } from "@tanstack/react-query";

import type { ClipPages } from "../api/queries";
import type { Clip } from "../api/types";

export function useKnown(wordsOf: (clip: Clip) => string[], chosen: string | null): string[] {
  useIsFetching({ queryKey: ["clips"] }); // looks again whenever an answer has come
  const lists = useQueryClient().getQueriesData<ClipPages>({ queryKey: ["clips"] });
  const clips = lists.flatMap(([, data]) => data?.pages.flatMap((page) => page.items) ?? []);
  const words = new Set(clips.flatMap(wordsOf));
  if (chosen !== null) words.add(chosen);
  return [...words].sort((a, b) => a.localeCompare(b));
}
