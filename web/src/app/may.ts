/** What the user may do, as the server said: what they may not is not offered. The server decides again each time. */

import type { Me, Permission } from "../api/types";

export function may(me: Pick<Me, "permissions"> | undefined, permission: Permission, communityId: string | null) {
  return Boolean(
    me?.permissions.some(
      (one) => one.permission === permission && (one.communityId === null || one.communityId === communityId),
    ),
  );
}

const ADMINISTRATIVE: Permission[] = ["MANAGE_REPLAY_LIMITS", "VIEW_AUDIT"];

/** Whether there is anything for them on the pages about communities. */
export function looksAfterSomething(me: Pick<Me, "permissions"> | undefined): boolean {
  return Boolean(me?.permissions.some((one) => ADMINISTRATIVE.includes(one.permission)));
}

/** A permission as people say it. */
export const PERMISSION_WORDS: Record<Permission, string> = {
  ENABLE_REPLAY_BUFFER: "Start a buffer",
  CAPTURE_REPLAY: "Save clips of one's own share",
  "CAPTURE_REPLAY:room": "Save clips of what others share",
  MANAGE_REPLAY_LIMITS: "Manage limits, quotas, roles and clips",
  VIEW_AUDIT: "Read the audit trail",
};
