/** Everybody's sessions: how far back they reach, how far behind they are, and a way to end one. */

import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { useStopSession } from "../api/queries";
import { getAllSessions } from "../api/system";
import type { WatchedSession } from "../api/types";
import { Answer } from "../app/Answer";
import { Panel } from "../app/Panel";
import { Table } from "../app/Table";
import { toast, toastProblem } from "../app/toast";
import { ofLength, ofSize, runningTime } from "../app/words";
import { countsOf, sourceOf, stateOf } from "./sentences";
import classes from "./System.module.css";

const EVERY_MS = 2000;
const RUNS: WatchedSession["status"][] = ["starting", "recording", "interrupted"];

export function SessionsPanel() {
  const sessions = useQuery({ queryKey: ["system", "sessions"], queryFn: getAllSessions, refetchInterval: EVERY_MS });
  const [ending, setEnding] = useState<WatchedSession | null>(null);
  return (
    <Panel title="Sessions" aside={sessions.data && countsOf(sessions.data)}>
      <Answer to={sessions}>{(items) => <List items={items} onEnd={setEnding} />}</Answer>
      {ending && <End session={ending} onClose={() => setEnding(null)} />}
    </Panel>
  );
}

function List({ items, onEnd }: { items: WatchedSession[]; onEnd: (session: WatchedSession) => void }) {
  if (items.length === 0) return <p className={classes.dim}>Nobody is being buffered.</p>;
  return (
    <Table
      label="Sessions"
      rows={items}
      keyOf={(one) => one.sessionId}
      columns={[
        { name: "Room", cell: (one) => one.roomName },
        { name: "Sharer", cell: (one) => one.userId },
        { name: "Source", cell: sourceOf },
        { name: "Back", right: true, cell: (one) => runningTime(one.bufferedSeconds) },
        { name: "Size", right: true, cell: (one) => ofSize(one.sizeBytes) },
        { name: "Lag", right: true, cell: (one) => (one.lagSeconds === null ? "" : ofLength(one.lagSeconds)) },
        { name: "State", cell: (one) => <span data-state={one.status}>{stateOf(one)}</span> },
        {
          name: "",
          cell: (one) =>
            RUNS.includes(one.status) && (
              <Button
                variant="default"
                size="compact-sm"
                aria-label={`Stop ${one.userId} in ${one.roomName}`}
                onClick={() => onEnd(one)}
              >
                Stop
              </Button>
            ),
        },
      ]}
    />
  );
}

function End({ session, onClose }: { session: WatchedSession; onClose: () => void }) {
  const stop = useStopSession();
  const end = () =>
    stop.mutate(session.sessionId, {
      onSuccess: () => toast(`The buffer of ${session.userId} has ended. Its last minutes can still be saved.`),
      onError: (error) => toastProblem(error),
      onSettled: onClose,
    });
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Stop ${session.userId} in ${session.roomName}?`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <div className={classes.asking}>
        <p>Nothing more is kept of the share. What is buffered can be saved until its window has passed.</p>
        <Button color="red.8" data-autofocus loading={stop.isPending} onClick={end}>
          Stop the buffer
        </Button>
      </div>
    </Modal>
  );
}
