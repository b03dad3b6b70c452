/** One session: its head, stage, timeline, and what to do when it does not run. */

import { Anchor, Button } from "@mantine/core";
import { useState } from "react";

import { explain } from "../api/problem";
import { isUnreachable, useStopSession, useTimeline } from "../api/queries";
import type { Clip, Range, Session, Timeline } from "../api/types";
import { useShortcuts } from "../app/shortcuts";
import { toastProblem } from "../app/toast";
import { Notice } from "../app/Notice";
import type { BufferPlayer } from "../player/player";
import { usePlayer } from "../player/usePlayer";
import { startSharing, stopSharing, useShare } from "../share/share";
import classes from "./Buffer.module.css";
import { Head } from "./Head";
import { LatestClips } from "./LatestClips";
import { type Bounds, lastSeconds, markAt, PRESETS, type Side, survives } from "./selection";
import { isRunning, stateSentence } from "./sentences";
import { Stage } from "./Stage";
import { StartPanel } from "./StartPanel";
import { TimelinePanel } from "./TimelinePanel";
import { type Saving, useCapture } from "./useCapture";

interface SessionViewProps {
  session: Session;
  sessions: Session[];
  onChoose: (sessionId: string) => void;
}

const FIRST_CHOICE = lastSeconds(60);

export function SessionView({ session, sessions, onChoose }: SessionViewProps) {
  const query = useTimeline(session);
  const timeline = query.data;
  const bounds = boundsOf(timeline);
  const skewMs = timeline ? timeline.nowMs - query.dataUpdatedAt : 0;
  const [wanted, select] = useState<Range>(FIRST_CHOICE);
  const selection = bounds && !survives(wanted, bounds) ? FIRST_CHOICE : wanted;
  const [clip, setClip] = useState<Clip | null>(null);
  const handle = usePlayer(timeline, clip !== null);
  const { player } = handle;
  const saving = useCapture({
    sessionId: session.sessionId,
    selection,
    bounds,
    onSaved: setClip,
    onUndone: (undone) => setClip((shown) => (shown?.clipId === undone.clipId ? null : shown)),
  });
  useBufferKeys({ player, saving, bounds, selection, select, session, closeClip: () => setClip(null) });
  return (
    <>
      <div className={classes.column}>
        <Head session={session} sessions={sessions} timeline={timeline} onChoose={onChoose} />
        <StateNotice session={session} error={query.error} />
        {session.status !== "failed" && (
          <Stage session={session} handle={handle} skewMs={skewMs} clip={clip} onCloseClip={() => setClip(null)} />
        )}
        {timeline && bounds && (
          <TimelinePanel
            {...{ timeline, bounds, selection, player, saving }}
            onSelect={select}
            recording={session.status === "recording"}
          />
        )}
      </div>
      <aside className={classes.aside}>
        <LatestClips openId={clip?.clipId ?? null} onOpen={setClip} />
        {isRunning(session) && <Consent session={session} />}
      </aside>
    </>
  );
}

function boundsOf(timeline: Timeline | undefined): Bounds | null {
  const [fromMs, untilMs] = [timeline?.fromMs ?? null, timeline?.untilMs ?? null];
  return fromMs === null || untilMs === null || untilMs <= fromMs ? null : { fromMs, untilMs };
}

interface Keys {
  player: BufferPlayer | null;
  saving: Saving;
  bounds: Bounds | null;
  selection: Range;
  select: (range: Range) => void;
  session: Session;
  closeClip: () => void;
}

function useBufferKeys({ player, saving, bounds, selection, select, session, closeClip }: Keys): void {
  const mark = (side: Side) => () => {
    const at = player?.positionMs;
    if (bounds && at != null) select(markAt(selection, side, at, bounds));
  };
  const second = (by: number) => () =>
    player && player.positionMs !== null && player.seek(player.positionMs + by * 1000);
  const preset = (index: number) => () => select(lastSeconds(PRESETS[index]?.seconds ?? 60));
  useShortcuts({
    save: () => bounds && saving.save(),
    postRoll: () =>
      bounds && session.status === "recording" && saving.postRollSince === null && saving.save({ postRoll: true }),
    live: () => {
      closeClip();
      player?.goLive();
    },
    close: closeClip,
    in: mark("start"),
    out: mark("end"),
    play: () => player?.togglePlay(),
    frameBack: () => player?.step(-1),
    frameForward: () => player?.step(1),
    secondBack: second(-1),
    secondForward: second(1),
    preset1: preset(0),
    preset2: preset(1),
    preset3: preset(2),
    preset4: preset(3),
    preset5: preset(4),
  });
}

function StateNotice({ session, error }: { session: Session; error: Error | null }) {
  const share = useShare();
  const sentence = stateSentence(session);
  const again = () => startSharing(session.roomName).catch(toastProblem);
  if (error && !isUnreachable(error)) return <Notice tone="bad" {...explain(error)} />; // silence is said above
  if (session.status === "failed" || session.status === "draining" || session.status === "expired") {
    return <Over session={session} sentence={sentence ?? ""} />;
  }
  if (!sentence || session.status === "starting") return null;
  const canContinue = session.status === "interrupted" && session.source === "whip" && share.state === "idle";
  return (
    <Notice sentence={sentence} nextStep={share.state === "idle" ? share.ended : null}>
      {canContinue && <Button onClick={() => void again()}>Share again</Button>}
    </Notice>
  );
}

/** A session that is over: what is left of it, and how to begin the next. */
function Over({ session, sentence }: { session: Session; sentence: string }) {
  const [asked, setAsked] = useState(false);
  const failed = session.status === "failed";
  const starting = asked || failed;
  return (
    <>
      <Notice sentence={sentence} tone={failed ? "bad" : "calm"}>
        {!starting && <Button onClick={() => setAsked(true)}>Start again</Button>}
      </Notice>
      {starting && (
        <div style={{ marginBottom: 14 }}>
          <StartPanel
            nested
            title="Start again"
            sentence={
              failed ? "Share once more, or try the demo source." : "The next share gets a buffer of its own."
            }
          />
        </div>
      )}
    </>
  );
}

/** Consent is visible: what happens to the share, and the way out. */
function Consent({ session }: { session: Session }) {
  const share = useShare();
  const stop = useStopSession();
  const own = share.state === "sharing" && share.sessionId === session.sessionId;
  const end = () =>
    own
      ? stopSharing().catch(toastProblem)
      : stop.mutate(session.sessionId, { onError: (error) => toastProblem(error) });
  return (
    <p className={classes.consent}>
      {own ? `You are sharing ${share.withSound ? "a screen and its sound" : "a screen without sound"}. ` : ""}
      Only the last minutes are kept, and only what is saved stays.{" "}
      <Anchor
        component="button"
        type="button"
        fz="inherit"
        c="var(--text)"
        underline="always"
        onClick={() => void end()}
      >
        {own ? "Stop sharing" : "Stop buffering"}
      </Anchor>
    </p>
  );
}
