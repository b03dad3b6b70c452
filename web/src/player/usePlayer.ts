/** The player for React: made for a video element, told of new segments, read at ten times a second. */

import { useEffect, useState, useSyncExternalStore } from "react";

import type { Timeline } from "../api/types";
import { BufferPlayer, IDLE_VIEW, type PlayerView } from "./player";

export interface PlayerHandle {
  player: BufferPlayer | null;
  attach: (video: HTMLVideoElement | null) => void;
}

/** `asleep`: something else is on the stage. */
export function usePlayer(timeline: Timeline | undefined, asleep: boolean): PlayerHandle {
  const [video, attach] = useState<HTMLVideoElement | null>(null);
  const [player, setPlayer] = useState<BufferPlayer | null>(null);
  useEffect(() => {
    if (!video) return;
    const made = new BufferPlayer(video);
    setPlayer(made);
    return () => {
      made.destroy();
      setPlayer(null);
    };
  }, [video]);
  useEffect(() => {
    if (timeline) player?.setSegments(timeline.segments);
  }, [player, timeline]);
  useEffect(() => player?.sleep(asleep), [player, asleep]);
  return { player, attach };
}

const noPlayer = () => () => undefined;
const idle = () => IDLE_VIEW;

export function usePlayerView(player: BufferPlayer | null): PlayerView {
  return useSyncExternalStore(player?.subscribe ?? noPlayer, player?.getView ?? idle);
}
