/** The page for the job: see what is buffered, save what just happened. */

import { Button, Loader } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState } from "react";

import { explain } from "../api/problem";
import { isUnreachable, useSessions } from "../api/queries";
import { Notice } from "../app/Notice";
import { useShare } from "../share/share";
import classes from "./Buffer.module.css";
import { LatestClips } from "./LatestClips";
import { SessionView } from "./SessionView";
import { StartPanel } from "./StartPanel";
import { pickSession } from "./sentences";

export function BufferPage() {
  const sessions = useSessions();
  const share = useShare();
  const [chosenId, setChosenId] = useState<string | null>(null);
  const known = sessions.data ?? [];
  const session = pickSession(known, chosenId);
  useDocumentTitle(
    session ? `${session.status === "recording" ? "● " : ""}${session.roomName} · Lookback` : "Lookback",
  );
  return (
    <main id="main" tabIndex={-1} className={classes.main}>
      {sessions.error && <ErrorNotice error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {session ? (
        <SessionView key={session.sessionId} session={session} sessions={known} onChoose={setChosenId} />
      ) : (
        <Nobody loading={sessions.isPending && !sessions.error} ended={share.state === "idle" ? share.ended : null} />
      )}
    </main>
  );
}

function ErrorNotice({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <div style={{ gridColumn: "1 / -1" }}>
      <Notice tone="bad" {...explain(error)}>
        <Button variant="default" onClick={onRetry}>
          {isUnreachable(error) ? "Try now" : "Try again"}
        </Button>
      </Notice>
    </div>
  );
}

function Nobody({ loading, ended }: { loading: boolean; ended: string | null }) {
  if (loading) return <Loader m="xl" aria-label="Loading" />;
  return (
    <>
      <StartPanel
        title="Nobody is sharing yet"
        sentence={
          ended ?? "Share a screen, and its last minutes are there to save whenever something happened worth keeping."
        }
      />
      <aside className={classes.aside}>
        <LatestClips
          openId={null}
          onOpen={(clip: { clipId: string }) => (location.hash = `#/clips/${clip.clipId}`)}
        />
      </aside>
    </>
  );
}
