/** Everybody's sessions: how far back they reach, how far behind they are, and a way to end one. */

import { Button, Modal } from "@mantine/core";
import { useState } from "react";

import { usePages, useStopSession } from "../api/queries";
import { getAllSessions } from "../api/system";
import type { WatchedSession } from "../api/types";
import { Notice } from "../app/Notice";
import { Pages } from "../app/Pages";
import { Panel } from "../app/Panel";
import { type Column, Table } from "../app/Table";
import { toast, toastProblem } from "../app/toast";
import { ofSize, runningTime } from "../app/words";
import { countsOf, lagOf, RECORDER_SILENT, sourceOf, stateOf } from "./sentences";
import classes from "./System.module.css";

const EVERY_MS = 2000;
const RUNS: WatchedSession["status"][] = ["starting", "recording", "interrupted"];

export function SessionsPanel() {
  const sessions = usePages(["system", "sessions"], getAllSessions, EVERY_MS);
  const [ending, setEnding] = useState<WatchedSession | null>(null);
  const known = sessions.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel title="Sessions" aside={countsOf(known, sessions.hasNextPage)}>
      <Pages of={sessions} what="sessions">
        {(items) => <List items={items} onEnd={setEnding} />}
      </Pages>
      {ending && <End session={ending} onClose={() => setEnding(null)} />}
    </Panel>
  );
}

function List({ items, onEnd }: { items: WatchedSession[]; onEnd: (session: WatchedSession) => void }) {
  if (items.length === 0) return <p className={classes.dim}>Nobody is being buffered.</p>;
  return (
    <>
      {items.some((one) => one.recorded === "unknown") && <Notice sentence={RECORDER_SILENT} />}
      <Table label="Sessions" rows={items} keyOf={(one) => one.sessionId} columns={columns(onEnd)} />
    </>
  );
}

const columns = (onEnd: (session: WatchedSession) => void): Column<WatchedSession>[] => [
  { name: "Room", cell: (one) => one.roomName },
  { name: "Sharer", cell: (one) => one.userId },
  { name: "Source", cell: sourceOf },
  { name: "Back", right: true, cell: (one) => runningTime(one.bufferedSeconds) },
  { name: "Size", right: true, cell: (one) => ofSize(one.sizeBytes) },
  { name: "Lag", right: true, cell: lagOf },
  { name: "State", wide: true, cell: (one) => <span data-state={one.status}>{stateOf(one)}</span> },
  {
    name: "",
    right: true,
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
];

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
