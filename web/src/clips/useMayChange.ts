/** Whose clips one may change: one's own, and those of communities that one manages. */

import { useMe } from "../api/queries";
import type { Clip } from "../api/types";
import { may } from "../app/may";

export function useMayChange(): (clip: Clip) => boolean {
  const { data: me } = useMe();
  return (clip) => clip.mine || may(me, "MANAGE_REPLAY_LIMITS", clip.communityId);
}
