/** What can be done with a clip. Lists change at once and are asked for again afterwards. */

import { type QueryClient, useQueryClient } from "@tanstack/react-query";

import { cancelRendition, deleteClip, makeRendition, renameClip, restoreClip } from "../api/calls";
import { patchClips, useRefreshClips } from "../api/queries";
import type { Clip } from "../api/types";
import { toast, toastProblem } from "../app/toast";

export function useClipActions() {
  const client = useQueryClient();
  const refresh = useRefreshClips();
  const settle = (work: Promise<unknown>) => void work.catch(toastProblem).finally(refresh);
  return {
    rename: (clip: Clip, title: string) => {
      put(client, { ...clip, title });
      settle(renameClip(clip.clipId, title).then((renamed) => put(client, renamed)));
    },
    remove: (clip: Clip) => {
      patchClips(client, (clips) => clips.filter((one) => one.clipId !== clip.clipId));
      const bringBack = () => settle(restoreClip(clip.clipId).then(() => toast(`“${clip.title}” is back.`)));
      settle(
        deleteClip(clip.clipId).then(() =>
          toast(`“${clip.title}” deleted. It can be brought back for 10 minutes.`, [
            { label: "Undo", onClick: bringBack },
          ]),
        ),
      );
    },
    makeMp4: (clip: Clip) => settle(makeRendition(clip.clipId)),
    cancelMp4: (clip: Clip, renditionId: string) => settle(cancelRendition(clip.clipId, renditionId)),
  };
}

function put(client: QueryClient, clip: Clip): void {
  patchClips(client, (clips) => clips.map((one) => (one.clipId === clip.clipId ? clip : one)));
  client.setQueryData(["clip", clip.clipId], clip);
}
