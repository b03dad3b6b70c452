/** The calls about communities, roles and people. `scope` is a community's id, or null for the whole server. */

import { bodyOf, client } from "./client";
import type { Config, Permission } from "./types";

type Scope = string | null;

const ofCommunity = (community_id: string) => ({ params: { path: { community_id } } });

const from = (cursor: string | null) => ({ query: cursor === null ? {} : { cursor } });

const pageOf = (community_id: string, cursor: string | null) => ({
  params: { path: { community_id }, ...from(cursor) },
});

export const getCommunities = () => bodyOf(client.GET("/livekit-replay/communities"));

export const getConfig = (id: string) =>
  bodyOf(client.GET("/livekit-replay/admin/community/{community_id}/config", ofCommunity(id)));

export const changeConfig = (id: string, body: Partial<Config>) =>
  bodyOf(client.PATCH("/livekit-replay/admin/community/{community_id}/config", { ...ofCommunity(id), body }));

export const getRooms = (id: string, cursor: string | null) =>
  bodyOf(client.GET("/livekit-replay/admin/community/{community_id}/rooms", pageOf(id, cursor)));

const ofRoom = (room_name: string) => ({ params: { path: { room_name } } });

export const putRoom = (roomName: string, communityId: string) =>
  bodyOf(client.PUT("/livekit-replay/rooms/{room_name}", { ...ofRoom(roomName), body: { communityId } }));

export const removeRoom = (roomName: string) => client.DELETE("/livekit-replay/rooms/{room_name}", ofRoom(roomName));

export const getRoles = (scope: Scope) =>
  scope === null
    ? bodyOf(client.GET("/livekit-replay/admin/roles"))
    : bodyOf(client.GET("/livekit-replay/admin/community/{community_id}/roles", ofCommunity(scope)));

export function putRole(scope: Scope, role: string, permissions: Permission[]) {
  const body = { permissions };
  if (scope === null)
    return bodyOf(client.PUT("/livekit-replay/admin/roles/{role}", { params: { path: { role } }, body }));
  const params = { path: { community_id: scope, role } };
  return bodyOf(client.PUT("/livekit-replay/admin/community/{community_id}/roles/{role}", { params, body }));
}

export function removeRole(scope: Scope, role: string) {
  if (scope === null) return client.DELETE("/livekit-replay/admin/roles/{role}", { params: { path: { role } } });
  const params = { path: { community_id: scope, role } };
  return client.DELETE("/livekit-replay/admin/community/{community_id}/roles/{role}", { params });
}

export const getMembers = (scope: Scope, cursor: string | null) =>
  scope === null
    ? bodyOf(client.GET("/livekit-replay/admin/members", { params: from(cursor) }))
    : bodyOf(client.GET("/livekit-replay/admin/community/{community_id}/members", pageOf(scope, cursor)));

export function putMember(scope: Scope, user_id: string, roles: string[]) {
  const body = { roles };
  if (scope === null) {
    return bodyOf(client.PUT("/livekit-replay/admin/members/{user_id}", { params: { path: { user_id } }, body }));
  }
  const params = { path: { community_id: scope, user_id } };
  return bodyOf(client.PUT("/livekit-replay/admin/community/{community_id}/members/{user_id}", { params, body }));
}

export function removeMember(scope: Scope, user_id: string) {
  if (scope === null)
    return client.DELETE("/livekit-replay/admin/members/{user_id}", { params: { path: { user_id } } });
  const params = { path: { community_id: scope, user_id } };
  return client.DELETE("/livekit-replay/admin/community/{community_id}/members/{user_id}", { params });
}

export const getUsers = (q: string, cursor: string | null) =>
  bodyOf(client.GET("/livekit-replay/admin/users", { params: { query: { q, ...(cursor !== null && { cursor }) } } }));

/** Null: as much as everybody. */
export const setQuota = (user_id: string, quotaBytes: number | null) =>
  bodyOf(
    client.PATCH("/livekit-replay/admin/users/{user_id}/quota", {
      params: { path: { user_id } },
      body: { quotaBytes },
    }),
  );

export type By = "user" | "room" | "community";

export const getUsage = (by: By, community: Scope) =>
  bodyOf(
    client.GET("/livekit-replay/admin/usage", {
      params: { query: { by, ...(community !== null && { community }) } },
    }),
  );
