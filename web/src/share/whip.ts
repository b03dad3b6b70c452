/** Publish a screen over WHIP (RFC 9725): offer by POST, ICE restart by PATCH, the end by DELETE. */

import { problemOf, unreachable } from "../api/problem";
import { getToken } from "../app/token";
import { preferredCodecs, restartedAnswer, restartFragment, withStartBitrate } from "./sdp";

const START_KBPS = 2500;
const MAX_BPS = 8_000_000;
const RESTART_AFTER_MS = 1500;
const GIVE_UP_AFTER_RESTARTS = 8;

export interface Publication {
  sessionId: string | null;
  stop(): Promise<void>;
}

interface Resource {
  url: string;
  answer: string;
}

/** Called when the connection is gone for good although nobody stopped it. */
export type OnLost = (sentence: string) => void;

export async function publish(roomName: string, screen: MediaStream, onLost: OnLost): Promise<Publication> {
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  try {
    addTracks(peer, screen);
    await peer.setLocalDescription();
    const { resource, sessionId } = await postOffer(roomName, peer.localDescription?.sdp ?? "");
    await peer.setRemoteDescription({ type: "answer", sdp: resource.answer });
    const stopWatching = keepConnected(peer, resource, onLost);
    return {
      sessionId,
      stop: async () => {
        stopWatching();
        peer.close();
        await call(resource.url, { method: "DELETE", keepalive: true });
      },
    };
  } catch (error) {
    peer.close();
    throw error;
  }
}

function addTracks(peer: RTCPeerConnection, screen: MediaStream): void {
  const [picture] = screen.getVideoTracks();
  if (!picture) throw new Error("The browser gave no picture of the screen.");
  picture.contentHint = "detail";
  const video = peer.addTransceiver(picture, {
    direction: "sendonly",
    streams: [screen],
    sendEncodings: [{ maxBitrate: MAX_BPS, maxFramerate: 30 }],
  });
  video.setCodecPreferences(preferredCodecs(RTCRtpSender.getCapabilities("video")?.codecs ?? []));
  const [sound] = screen.getAudioTracks();
  if (sound) peer.addTransceiver(sound, { direction: "sendonly", streams: [screen] });
}

async function postOffer(roomName: string, offer: string): Promise<{ resource: Resource; sessionId: string | null }> {
  const endpoint = `/whip/${encodeURIComponent(roomName)}`;
  const response = await call(endpoint, {
    method: "POST",
    body: offer,
    headers: { "Content-Type": "application/sdp" },
  });
  const location = response.headers.get("Location");
  if (!location) throw new Error("The server took the screen but did not say where it is.");
  const answer = withStartBitrate(await response.text(), START_KBPS);
  const url = new URL(location, new URL(endpoint, window.location.href)).href;
  return { resource: { url, answer }, sessionId: response.headers.get("X-Lookback-Session") };
}

async function call(url: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
  const headers = { ...init.headers, Authorization: `Bearer ${getToken() ?? ""}` };
  const response = await fetch(url, { ...init, headers }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Restart ICE when the path breaks or the network changes. Returns how to stop watching. */
function keepConnected(peer: RTCPeerConnection, resource: Resource, onLost: OnLost): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let [restarts, restarting] = [0, false];

  const restart = async () => {
    if (restarting || peer.connectionState === "closed") return;
    restarting = true;
    try {
      restarts += 1;
      await restartIce(peer, resource);
    } catch {
      later(); // no network yet, or the server refuses: counted, so it ends
    } finally {
      restarting = false;
    }
  };
  const later = () => {
    clearTimeout(timer);
    if (restarts < GIVE_UP_AFTER_RESTARTS) timer = setTimeout(() => void restart(), RESTART_AFTER_MS);
    else onLost("The connection to the server was lost.");
  };
  const onState = () => {
    clearTimeout(timer);
    if (peer.connectionState === "connected") restarts = 0;
    if (peer.connectionState === "disconnected" || peer.connectionState === "failed") later();
  };
  const onNetwork = () => void restart();
  const network = (navigator as { connection?: EventTarget }).connection;

  peer.addEventListener("connectionstatechange", onState);
  addEventListener("online", onNetwork);
  network?.addEventListener("change", onNetwork);
  return () => {
    clearTimeout(timer);
    peer.removeEventListener("connectionstatechange", onState);
    removeEventListener("online", onNetwork);
    network?.removeEventListener("change", onNetwork);
  };
}

async function restartIce(peer: RTCPeerConnection, resource: Resource): Promise<void> {
  peer.restartIce();
  await peer.setLocalDescription();
  const response = await call(resource.url, {
    method: "PATCH",
    body: restartFragment(peer.localDescription?.sdp ?? ""),
    headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" },
  });
  resource.answer = restartedAnswer(resource.answer, await response.text());
  await peer.setRemoteDescription({ type: "answer", sdp: resource.answer });
}
