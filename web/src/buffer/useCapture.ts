/** Saving: one press, one clip. What happens next is a toast, a player, or a question about gaps. */

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { capture } from "../api/calls";
import { deleteClip, restoreClip } from "../api/clips";
import { Problem } from "../api/problem";
import { type ClipPages, clipsKey, patchClips, useRefreshClips } from "../api/queries";
import { gapOf } from "../api/timeline";
import type { Clip, Range, TimelineGap } from "../api/types";
import { freshId } from "../app/ids";
import { copyLink, toast, toastProblem } from "../app/toast";
import { NO_FILTERS } from "../clips/filters";
import { type Bounds, POST_ROLL_SECONDS, resolve } from "./selection";
import { savedSentence } from "./sentences";

export interface GapQuestion {
  gaps: TimelineGap[];
  range: Range;
}

export interface Saving {
  save: (options?: { postRoll?: boolean; allowGaps?: boolean; range?: Range }) => void;
  saving: boolean;
  /** When the running post-roll began (this machine's clock), or null. */
  postRollSince: number | null;
  cancelPostRoll: () => void;
  question: GapQuestion | null;
  dropQuestion: () => void;
}

interface Setting {
  sessionId: string;
  selection: Range;
  bounds: Bounds | null;
  onSaved: (clip: Clip) => void;
  onUndone: (clip: Clip) => void;
}

export function useCapture({ sessionId, selection, bounds, onSaved, onUndone }: Setting): Saving {
  const client = useQueryClient();
  const refresh = useRefreshClips();
  const [running, setRunning] = useState(0);
  const [postRollSince, setPostRollSince] = useState<number | null>(null);
  const [question, setQuestion] = useState<GapQuestion | null>(null);
  const cancelled = useRef(new Set<string>());
  const postRollKey = useRef<string | null>(null);

  const undo = (clip: Clip) => {
    patchClips(client, (clips) => clips.filter((one) => one.clipId !== clip.clipId));
    onUndone(clip);
    deleteClip(clip.clipId)
      .then(() => toast("Clip deleted.", [{ label: "Bring it back", onClick: () => bringBack(clip) }]))
      .catch(toastProblem)
      .finally(refresh);
  };
  const bringBack = (clip: Clip) => void restoreClip(clip.clipId).catch(toastProblem).finally(refresh);

  const tell = (clip: Clip, sentence: string) =>
    toast(sentence, [
      { label: "Play", onClick: () => onSaved(clip) },
      { label: "Copy link", onClick: () => void copyLink(clip.videoUrl) },
      { label: "Undo", onClick: () => undo(clip) },
    ]);

  const save: Saving["save"] = ({ postRoll = false, allowGaps = false, range = selection } = {}) => {
    const key = freshId();
    const began = performance.now();
    const fixed: Range = bounds ? { kind: "range", ...resolve(range, bounds) } : range;
    setQuestion(null);
    setRunning((count) => count + 1);
    if (postRoll) {
      postRollKey.current = key;
      setPostRollSince(Date.now());
    }
    capture({ sessionId, range, allowGaps, key, postRollSeconds: postRoll ? POST_ROLL_SECONDS : 0 })
      .then((clip) => {
        if (cancelled.current.delete(key)) return undo(clip);
        const upToNow = range.kind === "last" && !postRoll;
        tell(clip, savedSentence(clip, { tookMs: postRoll ? null : performance.now() - began, upToNow }));
        showFirst(client, clip);
        onSaved(clip);
      })
      .catch((error: unknown) => {
        if (cancelled.current.delete(key)) return;
        if (error instanceof Problem && error.code === "gaps") {
          setQuestion({ gaps: (error.body.gaps ?? []).map(gapOf), range: fixed });
        } else toastProblem(error, [{ label: "Try again", onClick: () => save({ postRoll, allowGaps, range }) }]);
      })
      .finally(() => {
        setRunning((count) => count - 1);
        if (postRollKey.current === key) setPostRollSince(null);
        refresh();
      });
  };

  const cancelPostRoll = () => {
    if (postRollKey.current) cancelled.current.add(postRollKey.current);
    postRollKey.current = null;
    setPostRollSince(null);
  };

  return {
    save,
    saving: running > (postRollSince === null ? 0 : 1),
    postRollSince,
    cancelPostRoll,
    question,
    dropQuestion: () => setQuestion(null),
  };
}

/** The new clip is in the lists before they are asked for again. */
function showFirst(client: ReturnType<typeof useQueryClient>, clip: Clip): void {
  client.setQueryData<ClipPages>(clipsKey(NO_FILTERS), (data) => {
    const [first, ...rest] = data?.pages ?? [];
    if (!data || !first || first.items.some((one) => one.clipId === clip.clipId)) return data;
    return { ...data, pages: [{ ...first, items: [clip, ...first.items] }, ...rest] };
  });
}
