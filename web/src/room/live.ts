/** Everything that this page does with livekit-client: join, share, and what there is to know of the room. */

import { Room, RoomEvent, type ScreenShareCaptureOptions, Track, type TrackPublishOptions } from "livekit-client";

/** What plays on the screen, as it is: cleaning up is for microphones. */
const CAPTURE: ScreenShareCaptureOptions = {
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  systemAudio: "include",
  selfBrowserSurface: "include",
  surfaceSwitching: "include",
  resolution: { width: 1920, height: 1080, frameRate: 30 },
};

/**
 * H.264 is the one that clips as MP4 without being encoded again: livekit-client's own choice, VP8, becomes WebM.
 * One layer: the recorder takes the best one anyway.
 */
const PUBLISH: TrackPublishOptions = {
  videoCodec: "h264",
  backupCodec: false,
  simulcast: false,
  screenShareEncoding: { maxBitrate: 4_000_000, maxFramerate: 30 },
  degradationPreference: "maintain-resolution",
};

export async function join(url: string, token: string): Promise<Room> {
  const room = new Room({ adaptiveStream: true, dynacast: true, disconnectOnPageLeave: true });
  await room.connect(url, token);
  return room;
}

/** Ask for a screen and publish it. False when the person closed the chooser: that is no failure. */
export async function share(room: Room): Promise<boolean> {
  try {
    return Boolean(await room.localParticipant.setScreenShareEnabled(true, CAPTURE, PUBLISH));
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotAllowedError") return false;
    throw error;
  }
}

export const unshare = (room: Room) => room.localParticipant.setScreenShareEnabled(false);

/** What is shown of a room. `recording`: LiveKit's own flag, which every participant's app gets. */
export interface Seen {
  joined: boolean;
  reconnecting: boolean;
  recording: boolean;
  people: number;
  sharing: boolean;
  /** The screen to show: one's own, or the first of the others'. */
  screen: Track | null;
  sharer: string | null;
}

export function look(room: Room): Seen {
  const everybody = [room.localParticipant, ...room.remoteParticipants.values()];
  const sharer = everybody.find((one) => one.getTrackPublication(Track.Source.ScreenShare)?.track);
  return {
    joined: room.state !== "disconnected",
    reconnecting: room.state === "reconnecting" || room.state === "signalReconnecting",
    recording: room.isRecording,
    people: everybody.length,
    sharing: room.localParticipant.isScreenShareEnabled,
    screen: sharer?.getTrackPublication(Track.Source.ScreenShare)?.track ?? null,
    sharer: sharer ? sharer.name || sharer.identity : null,
  };
}

/** After any of these the room looks different. */
const CHANGES = [
  RoomEvent.ConnectionStateChanged,
  RoomEvent.RecordingStatusChanged,
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.Disconnected,
] as const;

/** Call `tell` whenever the room looks different; the result ends that. */
export function watch(room: Room, tell: () => void): () => void {
  for (const change of CHANGES) room.on(change, tell);
  return () => {
    for (const change of CHANGES) room.off(change, tell);
  };
}

/** Lookback tells the room on this topic whenever a buffer begins or ends. */
const TOPIC = "lookback";

export function onBufferNews(room: Room, tell: () => void): () => void {
  const heard = (_data: Uint8Array, _from?: unknown, _kind?: unknown, topic?: string) =>
    void (topic === TOPIC && tell());
  room.on(RoomEvent.DataReceived, heard);
  return () => void room.off(RoomEvent.DataReceived, heard);
}
