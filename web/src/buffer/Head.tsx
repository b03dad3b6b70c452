/** Room, state, and the truth about the buffer in words. */

import { Select } from "@mantine/core";

import type { Session, Timeline } from "../api/types";
import { Pill } from "../app/Pill";
import { clock, codecName, ofLength, ofRate, pictureSize } from "../app/words";
import classes from "./Buffer.module.css";
import { gapsSummary, pillOf } from "./sentences";
import { rateOf } from "./view";

interface HeadProps {
  session: Session;
  sessions: Session[];
  timeline: Timeline | undefined;
  onChoose: (sessionId: string) => void;
}

export function Head({ session, sessions, timeline, onChoose }: HeadProps) {
  return (
    <div className={classes.head}>
      <h1>{session.roomName}</h1>
      <Pill {...pillOf(session)} />
      {sessions.length > 1 && <Choice session={session} sessions={sessions} onChoose={onChoose} />}
      <Facts session={session} timeline={timeline} />
    </div>
  );
}

function Choice({ session, sessions, onChoose }: Pick<HeadProps, "session" | "sessions" | "onChoose">) {
  return (
    <Select
      aria-label="Which buffer"
      size="xs"
      w={190}
      allowDeselect={false}
      value={session.sessionId}
      onChange={(id) => id && onChoose(id)}
      data={sessions.map((one) => ({
        value: one.sessionId,
        label: `${one.roomName}, since ${clock(Date.parse(one.startedAt), { seconds: false })}`,
      }))}
    />
  );
}

function Facts({ session, timeline }: Pick<HeadProps, "session" | "timeline">) {
  const [from, until] = [timeline?.fromMs ?? null, timeline?.untilMs ?? null];
  const seconds = from === null || until === null ? session.bufferedSeconds : (until - from) / 1000;
  const gaps = timeline ? gapsSummary(timeline.gaps) : "";
  const media = mediaLine(session, timeline);
  return (
    <span className={classes.facts} data-testid="facts">
      {seconds > 0 && (
        <span>
          you can go back <b>{ofLength(Math.floor(seconds))}</b>
        </span>
      )}
      {gaps && <span>{gaps}</span>}
      {media && <span>{media}</span>}
    </span>
  );
}

function mediaLine({ video, status }: Session, timeline: Timeline | undefined): string {
  if (!video) return "";
  const rate = status === "recording" && timeline ? rateOf(timeline.segments, timeline.untilMs) : null;
  const size = video.width && video.height ? pictureSize(video.width, video.height) : null;
  return [size, codecName(video.codec), rate && ofRate(rate)].filter(Boolean).join(" · ");
}
