/** How full the disks are, what that has led to, and what goes next. */

import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { cleanUp, getSpace } from "../api/system";
import type { Cleanup, Space } from "../api/types";
import { Answer } from "../app/Answer";
import { Notice } from "../app/Notice";
import { Panel } from "../app/Panel";
import { Table } from "../app/Table";
import { toast, toastProblem } from "../app/toast";
import { clock, GB, ofSize } from "../app/words";
import { disksOf, goneOf, reasonOf, shortenedSentence } from "./sentences";
import classes from "./System.module.css";

const EVERY_MS = 5000;
const PREVIEW_BYTES = GB;

export function SpacePanel() {
  const space = useQuery({ queryKey: ["system", "space"], queryFn: getSpace, refetchInterval: EVERY_MS });
  const client = useQueryClient();
  const preview = useMutation({
    mutationFn: () => cleanUp({ dryRun: true, freeBytes: PREVIEW_BYTES }),
    onError: (error) => toastProblem(error),
  });
  const sweep = useMutation({
    mutationFn: () => cleanUp({ dryRun: false, freeBytes: 0 }),
    onSuccess: (gone) => toast(`Cleaned up: ${goneOf(gone)}.`),
    onError: (error) => toastProblem(error),
    onSettled: () => {
      preview.reset(); // it names what is gone now
      return client.invalidateQueries({ queryKey: ["system"] });
    },
  });
  return (
    <Panel title="Space" aside={space.data?.lastCleanup && lastOf(space.data.lastCleanup)}>
      <Answer to={space}>{(known) => <Disks space={known} />}</Answer>
      <div className={classes.buttons}>
        <Button variant="default" loading={preview.isPending} onClick={() => preview.mutate()}>
          What would go next
        </Button>
        <Button variant="default" loading={sweep.isPending} onClick={() => sweep.mutate()}>
          Clean up now
        </Button>
      </div>
      {preview.data && <Next preview={preview.data} />}
    </Panel>
  );
}

const lastOf = (last: NonNullable<Space["lastCleanup"]>) =>
  `cleaned up ${clock(Date.parse(last.at), { seconds: false })}: ${goneOf(last)}`;

function Disks({ space }: { space: Space }) {
  const shortened = shortenedSentence(space);
  return (
    <>
      <div className={classes.figures}>
        {disksOf(space).map(({ name, free, rest }) => (
          <div key={name}>
            <small>{name}</small>
            <b>{free}</b>
            <small>{rest}</small>
          </div>
        ))}
      </div>
      <p className={classes.dim}>
        {space.meaning}.{space.pausedSessions > 0 && ` ${space.pausedSessions} of the newest buffers pause.`}
      </p>
      {shortened && <Notice sentence={shortened} />}
    </>
  );
}

function Next({ preview }: { preview: Cleanup }) {
  if (preview.items.length === 0) return <p className={classes.dim}>There is nothing that could go.</p>;
  return (
    <>
      <p className={classes.dim}>If {ofSize(PREVIEW_BYTES)} had to be freed now, this would go:</p>
      <Table
        label="What would go next"
        rows={preview.items}
        keyOf={(one) => `${one.sessionId} ${one.reason}`}
        columns={[
          { name: "Room", cell: (one) => one.roomName },
          { name: "Sharer", cell: (one) => one.userId },
          { name: "Segments", right: true, cell: (one) => one.segments },
          { name: "Size", right: true, cell: (one) => ofSize(one.sizeBytes) },
          { name: "Because of", cell: (one) => reasonOf(one.reason) },
        ]}
      />
    </>
  );
}
