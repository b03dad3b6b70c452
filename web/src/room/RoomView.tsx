/** Inside the room: the shared screen, whether a buffer runs, and the button that saves what just happened. */

import { Button, SegmentedControl } from "@mantine/core";
import type { Room } from "livekit-client";
import { useState } from "react";

import type { Clip } from "../api/types";
import { KeyHint } from "../app/KeyHint";
import { Notice } from "../app/Notice";
import { Pill } from "../app/Pill";
import { useShortcuts } from "../app/shortcuts";
import { toastProblem } from "../app/toast";
import { ClipPlayer } from "../clips/ClipPlayer";
import { Icon } from "../app/icons";
import { type Seen, share, unshare } from "./live";
import classes from "./Room.module.css";
import { Screen } from "./Screen";
import { bufferSentence, pillOf } from "./sentences";
import { useBuffer } from "./useBuffer";
import { useLive } from "./useLive";

const LENGTHS = [
  { value: "30", label: "30 s" },
  { value: "60", label: "1 min" },
  { value: "120", label: "2 min" },
  { value: "300", label: "5 min" },
];

export function RoomView({ room, onLeft }: { room: Room; onLeft: () => void }) {
  const [clip, setClip] = useState<Clip | null>(null);
  const buffer = useBuffer(room.name, setClip);
  const seen = useLive(room, buffer.refresh);
  return (
    <>
      <div className={classes.head}>
        <h1>{room.name}</h1>
        <Pill {...pillOf(buffer.running, seen)} />
        <span className={classes.dim}>
          {seen.people === 1 ? "Only you are here" : `${seen.people} people are here`}
        </span>
        <Button variant="default" size="xs" ml="auto" onClick={() => void room.disconnect().then(onLeft)}>
          Leave
        </Button>
      </div>
      {!seen.joined && (
        <Notice tone="bad" sentence="The connection to the room is lost.">
          <Button onClick={onLeft}>Join again</Button>
        </Notice>
      )}
      {clip ? (
        <ClipPlayer clip={clip} onClose={() => setClip(null)} closeLabel="Back to the room" />
      ) : (
        <Screen seen={seen} />
      )}
      <Controls room={room} seen={seen} buffer={buffer} />
      <p className={classes.dim} data-testid="truth">
        {bufferSentence(buffer.running, seen)}
      </p>
    </>
  );
}

interface ControlsProps {
  room: Room;
  seen: Seen;
  buffer: ReturnType<typeof useBuffer>;
}

function Controls({ room, seen, buffer: { own, running, start, save } }: ControlsProps) {
  const [seconds, setSeconds] = useState("60");
  const canSave = own !== undefined || running.length > 0;
  const saveNow = () => save.mutate(Number(seconds));
  useShortcuts({ ...(canSave && { save: saveNow }) });
  return (
    <div className={classes.controls}>
      {canSave && (
        <>
          <Button loading={save.isPending} onClick={saveNow}>
            Save clip
            <KeyHint name="S" strong />
          </Button>
          <SegmentedControl aria-label="How much" data={LENGTHS} value={seconds} onChange={setSeconds} />
        </>
      )}
      <Button
        variant="default"
        ml={canSave ? "auto" : 0}
        leftSection={<Icon name="screen" />}
        onClick={() => void (seen.sharing ? unshare(room) : share(room)).catch(toastProblem)}
      >
        {seen.sharing ? "Stop sharing" : "Share my screen"}
      </Button>
      {seen.sharing && !own && (
        <Button variant={canSave ? "default" : "filled"} loading={start.isPending} onClick={() => start.mutate()}>
          Start a buffer
        </Button>
      )}
    </div>
  );
}
