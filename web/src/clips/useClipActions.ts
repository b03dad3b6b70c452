/** What can be done with clips. Lists change at once and are asked for again afterwards. */

import { type QueryClient, useQueryClient } from "@tanstack/react-query";

import {
  cancelRendition,
  changeClip,
  deleteClip,
  deleteClips,
  makeRendition,
  restoreClip,
  restoreClips,
} from "../api/clips";
import { patchClips, useRefreshClips } from "../api/queries";
import type { Clip, ClipChange } from "../api/types";
import { toast, toastProblem } from "../app/toast";

export function useClipActions() {
  const client = useQueryClient();
  const refresh = useRefreshClips();
  const settle = (work: Promise<unknown>) => void work.catch(toastProblem).finally(refresh);
  const takeOut = (ids: string[]) => patchClips(client, (clips) => clips.filter((one) => !ids.includes(one.clipId)));
  return {
    change: (clip: Clip, change: ClipChange) => {
      put(client, { ...clip, ...change });
      settle(changeClip(clip.clipId, change).then((changed) => put(client, changed)));
    },
    remove: (clip: Clip) => {
      takeOut([clip.clipId]);
      const bringBack = () => settle(restoreClip(clip.clipId).then(() => toast(`“${clip.title}” is back.`)));
      const said = `“${clip.title}” deleted. It can be brought back for 10 minutes.`;
      settle(deleteClip(clip.clipId).then(() => toast(said, [{ label: "Undo", onClick: bringBack }])));
    },
    removeAll: (ids: string[]) => {
      takeOut(ids);
      const bringBack = () =>
        settle(
          restoreClips(ids).then((answers) =>
            toast(backSentence(answers.flatMap((one) => one.overQuota).length, ids.length)),
          ),
        );
      const said = `${counted(ids.length)} deleted. They can be brought back for 10 minutes.`;
      settle(deleteClips(ids).then(() => toast(said, [{ label: "Undo", onClick: bringBack }])));
    },
    makeMp4: (clip: Clip) => settle(makeRendition(clip.clipId)),
    cancelMp4: (clip: Clip, renditionId: string) => settle(cancelRendition(clip.clipId, renditionId)),
  };
}

/** "2 clips are back. There is no room for 1 clip any more." */
export function backSentence(overQuota: number, all: number): string {
  const back = `${counted(all - overQuota)} ${all - overQuota === 1 ? "is" : "are"} back.`;
  return overQuota ? `${back} There is no room for ${counted(overQuota)} any more.` : back;
}

export const counted = (clips: number) => (clips === 1 ? "1 clip" : `${clips} clips`);

function put(client: QueryClient, clip: Clip): void {
  patchClips(client, (clips) => clips.map((one) => (one.clipId === clip.clipId ? clip : one)));
  client.setQueryData(["clip", clip.clipId], clip);
}
