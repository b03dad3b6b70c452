/** Lookback in a room: whether a buffer runs, starting one's own, and saving the last seconds. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { useMe, useRefreshClips } from "../api/queries";
import { captureInRoom, getRoomStatus, startInRoom } from "../api/room";
import type { Clip } from "../api/types";
import { isRunning, savedSentence } from "../buffer/sentences";
import { freshId } from "../app/ids";
import { toast, toastProblem } from "../app/toast";

/** LiveKit's data message says at once that something changed; asking now and then is for messages that got lost. */
const STATUS_MS = 2000;

export function useBuffer(roomName: string, onSaved: (clip: Clip) => void) {
  const { data: me } = useMe();
  const client = useQueryClient();
  const refreshClips = useRefreshClips();
  const key = ["room", roomName];
  const refresh = () => void client.invalidateQueries({ queryKey: key });
  const { data: status } = useQuery({
    queryKey: key,
    queryFn: () => getRoomStatus(roomName),
    refetchInterval: STATUS_MS,
  });
  const start = useMutation({
    mutationFn: () => startInRoom(roomName),
    onError: (error) => toastProblem(error),
    onSettled: refresh,
  });
  const save = useMutation({
    mutationFn: async (durationSeconds: number) => {
      const began = performance.now();
      const clip = await captureInRoom({ roomName, durationSeconds, key: freshId() });
      return { clip, sentence: savedSentence(clip, { tookMs: performance.now() - began, upToNow: true }) };
    },
    onSuccess: ({ clip, sentence }) => toast(sentence, [{ label: "Play", onClick: () => onSaved(clip) }]),
    onError: (error) => toastProblem(error),
    onSettled: refreshClips,
  });
  return {
    refresh,
    running: status?.buffers ?? [],
    own: status?.sessions.find((one) => one.userId === me?.userId && isRunning(one)),
    start,
    save,
  };
}
