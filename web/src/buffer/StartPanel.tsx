/** Nobody is sharing: what to do about it. */

import { Button, TextInput } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { useState } from "react";

import { explain } from "../api/problem";
import { useStartDemo } from "../api/queries";
import { Icon } from "../app/icons";
import { Notice } from "../app/Notice";
import { canShare, startSharing, useShare } from "../share/share";
import classes from "./Buffer.module.css";

interface StartPanelProps {
  title: string;
  sentence: string;
  /** Below the heading of something else. */
  nested?: boolean;
}

export function StartPanel({ title, sentence, nested = false }: StartPanelProps) {
  const [room, setRoom] = useLocalStorage({
    key: "lookback.room",
    defaultValue: "demo",
    getInitialValueInEffect: false,
  });
  const start = useStart(room.trim());
  return (
    <section className={classes.start} aria-label="Start">
      {nested ? <h2>{title}</h2> : <h1>{title}</h1>}
      <p>{sentence}</p>
      {start.problem !== null && <Notice tone="bad" {...explain(start.problem)} />}
      <div className={classes.startRow}>
        <TextInput
          label="Room"
          value={room}
          maxLength={255}
          onChange={(event) => setRoom(event.currentTarget.value)}
        />
        <Button
          leftSection={<Icon name="screen" />}
          onClick={start.share}
          loading={start.sharing}
          disabled={!room.trim() || !canShare()}
        >
          Share my screen
        </Button>
        <Button variant="default" onClick={start.demo} loading={start.demoing} disabled={!room.trim()}>
          Start the demo source
        </Button>
      </div>
      <p role="status">{start.sharing ? "Choose in the browser's window what to share." : startHint()}</p>
    </section>
  );
}

function startHint(): string {
  return canShare()
    ? "The last minutes are kept on the server and deleted as they pass. Only what you save stays."
    : "This browser cannot share a screen from here: that needs a desktop browser, and HTTPS or localhost in the address. The demo source works everywhere.";
}

function useStart(room: string) {
  const [problem, setProblem] = useState<unknown>(null);
  const demo = useStartDemo();
  const sharing = useShare();
  return {
    problem,
    sharing: sharing.state === "starting",
    demoing: demo.isPending,
    share: () => {
      setProblem(null);
      startSharing(room).catch(setProblem);
    },
    demo: () => {
      setProblem(null);
      demo.mutate(room, { onError: setProblem });
    },
  };
}
