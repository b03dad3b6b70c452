/** The parts of a community's page (or the whole server's), and who is offered which. Pure. */

import type { Me } from "../api/types";
import { may } from "../app/may";

export type Tab = "settings" | "rooms" | "users" | "usage" | "roles" | "members" | "audit";

export const TAB_WORDS: Record<Tab, string> = {
  settings: "Settings",
  rooms: "Rooms",
  users: "Users",
  usage: "Usage",
  roles: "Roles",
  members: "Members",
  audit: "Audit",
};

const MANAGED = {
  community: ["settings", "rooms", "usage", "roles", "members"],
  server: ["users", "usage", "roles", "members"],
};

/** `scope`: a community's id, or null for the whole server. */
export function tabsFor(me: Pick<Me, "permissions"> | undefined, scope: string | null): Tab[] {
  const managed = MANAGED[scope === null ? "server" : "community"] as Tab[];
  return [
    ...(may(me, "MANAGE_REPLAY_LIMITS", scope) ? managed : []),
    ...(may(me, "VIEW_AUDIT", scope) ? (["audit"] as const) : []),
  ];
}
