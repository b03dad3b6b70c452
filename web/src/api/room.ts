/** The calls about a LiveKit room. Every failure is a Problem. */

import { bodyOf, client } from "./client";

const ofRoom = (room_name: string) => ({ params: { path: { room_name } } });

/** Where to connect to, and the token that opens the room. In production your own backend says who may join what. */
export const joinRoom = (roomName: string) =>
  bodyOf(client.POST("/livekit-replay/livekit/join", { body: { roomName } }));

export const getRoomStatus = (roomName: string) =>
  bodyOf(client.GET("/livekit-replay/status/{room_name}", ofRoom(roomName)));

/** Keep the last minutes of what one shares in the room. */
export const startInRoom = (roomName: string) =>
  bodyOf(client.POST("/livekit-replay/start", { body: { roomName, source: "livekit", includeMicrophone: false } }));

export interface RoomCaptureWish {
  roomName: string;
  durationSeconds: number;
  /** The same key gives the same clip. */
  key: string;
}

/** Save the last seconds of one's own share in the room, or of the one that is there. */
export const captureInRoom = ({ roomName, durationSeconds, key }: RoomCaptureWish) =>
  bodyOf(
    client.POST("/livekit-replay/capture", {
      params: { header: { "idempotency-key": key } },
      body: { roomName, durationSeconds, postRollSeconds: 0, allowGaps: true },
    }),
  );
