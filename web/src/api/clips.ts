/** The calls of the library. Every failure is a Problem. */

import { bodyOf, client } from "./client";
import type { ClipChange, ClipFilters } from "./types";

const ofClip = (clipId: string) => ({ params: { path: { clip_id: clipId } } });

export interface ClipsWish {
  /** Clips that this community sees, instead of one's own. */
  community: string | null;
  filters: ClipFilters;
  cursor: string | null;
  limit: number;
}

export const getClips = ({ community, filters, cursor, limit }: ClipsWish) => {
  const query = { ...filters, limit, ...(cursor !== null && { cursor }) };
  return community === null
    ? bodyOf(client.GET("/livekit-replay/my-clips", { params: { query } }))
    : bodyOf(client.GET("/livekit-replay/clips", { params: { query: { ...query, community } } }));
};

export const getClip = (clipId: string) => bodyOf(client.GET("/livekit-replay/clips/{clip_id}", ofClip(clipId)));

export const changeClip = (clipId: string, body: ClipChange) =>
  bodyOf(client.PATCH("/livekit-replay/clips/{clip_id}", { ...ofClip(clipId), body }));

export const deleteClip = (clipId: string) => client.DELETE("/livekit-replay/clips/{clip_id}", ofClip(clipId));

export const restoreClip = (clipId: string) =>
  bodyOf(client.POST("/livekit-replay/clips/{clip_id}/restore", ofClip(clipId)));

/** How many clips the server deletes or restores in one request. */
const AT_ONCE = 100;

export const deleteClips = (clipIds: string[]) =>
  inParts(clipIds, (part) => bodyOf(client.POST("/livekit-replay/clips/delete", { body: { clipIds: part } })));

export const restoreClips = (clipIds: string[]) =>
  inParts(clipIds, (part) => bodyOf(client.POST("/livekit-replay/clips/restore", { body: { clipIds: part } })));

async function inParts<T>(ids: string[], send: (part: string[]) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) answers.push(await send(ids.slice(from, from + AT_ONCE)));
  return answers;
}

/** What a link leads to; nobody needs to be signed in for it. */
export const getSharedClip = (key: string) =>
  bodyOf(client.GET("/livekit-replay/shared/{key}", { params: { path: { key } } }));

export const makeRendition = (clipId: string) =>
  bodyOf(client.POST("/livekit-replay/clips/{clip_id}/renditions", { ...ofClip(clipId), body: { format: "mp4" } }));

export const cancelRendition = (clipId: string, renditionId: string) =>
  client.DELETE("/livekit-replay/clips/{clip_id}/renditions/{rendition_id}", {
    params: { path: { clip_id: clipId, rendition_id: renditionId } },
  });
