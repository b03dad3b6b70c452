/** What the page knows of the server, kept fresh by polling; polling stops while the page is hidden. */

import {
  keepPreviousData,
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from "@tanstack/react-query";

import { type Filters, queryOf } from "../clips/filters";
import * as calls from "./calls";
import { getClip, getClips } from "./clips";
import { Problem } from "./problem";
import { askAfter, mergeTimeline } from "./timeline";
import type { Clip, ClipList, Session, Timeline } from "./types";

const SESSIONS_MS = 1000;
const TIMELINE_MS = 500;
const STILL_TIMELINE_MS = 5000;
const UNREACHABLE_MS = 3000;
const PAGE = 24;

export type ClipPages = InfiniteData<ClipList, string | null>;

/** A refusal is an answer: only silence is worth asking again. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: { queries: { retry: false, refetchOnWindowFocus: true }, mutations: { retry: false } },
  });
}

export const useMe = () => useQuery({ queryKey: ["me"], queryFn: calls.getMe, refetchInterval: 30_000 });

export const useSessions = () =>
  useQuery({
    queryKey: ["sessions"],
    queryFn: calls.getSessions,
    refetchInterval: (query) => (query.state.error ? UNREACHABLE_MS : SESSIONS_MS),
  });

/** What is buffered of a session: everything once, then only what is new. */
export function useTimeline(session: Session | undefined) {
  const client = useQueryClient();
  const sessionId = session?.sessionId ?? "";
  const key = ["timeline", sessionId];
  const moving = session?.status === "recording" || session?.status === "starting";
  return useQuery({
    queryKey: key,
    enabled: sessionId !== "" && session?.status !== "failed" && session?.status !== "expired",
    queryFn: async ({ signal }) => {
      const known = client.getQueryData<Timeline>(key);
      const after = askAfter(known);
      return mergeTimeline(known, await calls.getTimeline(sessionId, after, signal), after);
    },
    structuralSharing: false,
    refetchInterval: (query) => (query.state.error ? UNREACHABLE_MS : moving ? TIMELINE_MS : STILL_TIMELINE_MS),
  });
}

/** How a list that comes page by page goes on. */
const BY_CURSOR = {
  initialPageParam: null as string | null,
  getNextPageParam: (last: Page<unknown>) => last.nextCursor,
};

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** `everyMs`: how often a page is asked for again. All that were read are, so whoever scrolled far waits for longer. */
export const usePages = <T>(
  queryKey: readonly unknown[],
  ask: (cursor: string | null) => Promise<Page<T>>,
  everyMs?: number,
) =>
  useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => ask(pageParam),
    ...BY_CURSOR,
    refetchInterval: (query) => (everyMs ? everyMs * (query.state.data?.pages.length ?? 1) : false),
  });

export const clipsKey = (filters: Filters) => ["clips", filters] as const;

/** The library, page by page. Fresh clips are asked for again until their poster is there. */
export const useClips = (filters: Filters) =>
  useInfiniteQuery({
    queryKey: clipsKey(filters),
    queryFn: ({ pageParam }) =>
      getClips({
        community: filters.community,
        filters: queryOf(filters, Date.now()),
        cursor: pageParam,
        limit: PAGE,
      }),
    ...BY_CURSOR,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => clipsInterval(query.state.data?.pages ?? []),
  });

/** A refresh asks for every page again: whoever scrolled far has the library as it was, but for what is under way. */
function clipsInterval(pages: ClipList[]): number | false {
  const clips = pages.flatMap((page) => page.items);
  if (clips.some(isWorking)) return 700 * pages.length;
  if (pages.length > 2) return false;
  const young = clips.some((clip) => !clip.posterUrl && Date.now() - Date.parse(clip.createdAt) < 30_000);
  return young ? 1000 : 15_000;
}

const isWorking = (clip: Clip) => clip.renditions.some((one) => one.status === "queued" || one.status === "running");

export const useClip = (clipId: string | null) =>
  useQuery({ queryKey: ["clip", clipId], queryFn: () => getClip(clipId ?? ""), enabled: clipId !== null });

/** Change the clip in every list that shows it, before the server is asked again. */
export function patchClips(client: QueryClient, change: (clips: Clip[]) => Clip[]): void {
  client.setQueriesData<ClipPages>({ queryKey: ["clips"] }, (data) =>
    data ? { ...data, pages: data.pages.map((page) => ({ ...page, items: change(page.items) })) } : data,
  );
}

export function useRefreshClips(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: ["clips"] });
    void client.invalidateQueries({ queryKey: ["clip"] });
    void client.invalidateQueries({ queryKey: ["me"] });
  };
}

export function useStartDemo() {
  const client = useQueryClient();
  return useMutation({ mutationFn: calls.startDemo, onSettled: () => refreshSessions(client) });
}

export function useStopSession() {
  const client = useQueryClient();
  return useMutation({ mutationFn: calls.stopSession, onSettled: () => refreshSessions(client) });
}

const refreshSessions = async (client: QueryClient) => {
  await client.invalidateQueries({ queryKey: ["sessions"] });
  await client.invalidateQueries({ queryKey: ["system", "sessions"] });
};

/** Whether the server was silent, as opposed to refusing. */
export const isUnreachable = (error: unknown) => error instanceof Problem && error.code === "unreachable";
