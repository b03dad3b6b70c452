/**
 * A LiveKit room with a replay buffer: join, share, save what just happened. The example to copy: `live.ts` is all
 * there is of livekit-client, `useBuffer.ts` all there is of Lookback.
 */

import { Button, TextInput } from "@mantine/core";
import { useDocumentTitle, useLocalStorage } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import type { Room } from "livekit-client";
import { type FormEvent, useEffect, useState } from "react";

import { explain } from "../api/problem";
import { joinRoom } from "../api/room";
import { Notice } from "../app/Notice";
import { join } from "./live";
import classes from "./Room.module.css";
import { RoomView } from "./RoomView";

export default function RoomPage() {
  const [joined, setJoined] = useState<Room | null>(null);
  useEffect(() => () => void joined?.disconnect(), [joined]);
  useDocumentTitle(joined ? `${joined.name} · Lookback` : "Room · Lookback");
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      {joined ? <RoomView room={joined} onLeft={() => setJoined(null)} /> : <Door onJoined={setJoined} />}
    </main>
  );
}

function Door({ onJoined }: { onJoined: (room: Room) => void }) {
  const [name, setName] = useLocalStorage({
    key: "lookback.room",
    defaultValue: "demo",
    getInitialValueInEffect: false,
  });
  const joining = useMutation({
    mutationFn: async () => {
      const { url, token } = await joinRoom(name.trim());
      return join(url, token);
    },
    onSuccess: onJoined,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    joining.mutate();
  };
  return (
    <form className={classes.door} onSubmit={submit}>
      <h1>Join a LiveKit room</h1>
      <p>Share your screen there as in any meeting. Lookback joins when you ask it to, and everybody can see that.</p>
      {joining.error && <Notice tone="bad" {...explain(joining.error)} />}
      <div className={classes.row}>
        <TextInput
          label="Room"
          value={name}
          maxLength={255}
          autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" loading={joining.isPending} disabled={!name.trim()}>
          Join
        </Button>
      </div>
    </form>
  );
}
