/** This tab's own screen share: one at a time, for as long as the tab lives, whatever page is shown. */

import { useSyncExternalStore } from "react";

import { type Publication, publish } from "./whip";

export type Share =
  | { state: "idle"; ended: string | null }
  | { state: "starting"; roomName: string }
  | { state: "sharing"; roomName: string; sessionId: string | null; withSound: boolean };

let share: Share = { state: "idle", ended: null };
let stop: (() => Promise<void>) | null = null;
const listeners = new Set<() => void>();

function become(next: Share): void {
  share = next;
  for (const tell of listeners) tell();
}

/** Whether this browser can share a screen at all (phones cannot, and pages without HTTPS may not). */
export const canShare = (): boolean =>
  typeof RTCPeerConnection !== "undefined" && Boolean(navigator.mediaDevices?.getDisplayMedia);

/** Ask for a screen and publish it. False when the person closed the chooser: that is no failure. */
export async function startSharing(roomName: string): Promise<boolean> {
  if (share.state !== "idle") return true;
  become({ state: "starting", roomName });
  try {
    const screen = await chooseScreen();
    if (screen) await begin(roomName, screen);
    else become({ state: "idle", ended: null });
    return screen !== null;
  } catch (error) {
    become({ state: "idle", ended: null });
    throw error;
  }
}

/** End the share; what is buffered stays. */
export async function stopSharing(): Promise<void> {
  await stop?.();
}

async function chooseScreen(): Promise<MediaStream | null> {
  try {
    return await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 30, max: 30 } },
      // What plays on the screen, as it is: cleaning up is for microphones.
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      systemAudio: "include",
      selfBrowserSurface: "include",
      surfaceSwitching: "include",
    } as DisplayMediaStreamOptions);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotAllowedError") return null;
    throw error;
  }
}

async function begin(roomName: string, screen: MediaStream): Promise<void> {
  const release = () => screen.getTracks().forEach((track) => track.stop());
  let publication: Publication;
  try {
    publication = await publish(roomName, screen, (sentence) => void finish(sentence));
  } catch (error) {
    release();
    throw error;
  }
  const finish = async (ended: string | null) => {
    if (stop !== end) return;
    stop = null;
    release();
    become({ state: "idle", ended });
    await publication.stop().catch((error) => {
      if (ended === null) throw error;
    });
  };
  const end = () => finish(null);
  stop = end;
  screen.getVideoTracks()[0]?.addEventListener("ended", () => void finish("You stopped sharing in the browser."));
  const withSound = screen.getAudioTracks().length > 0;
  become({ state: "sharing", roomName, sessionId: publication.sessionId, withSound });
}

export function useShare(): Share {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => share,
  );
}
