/** Scale, film, and the row that saves. */

import { Button, Progress, SegmentedControl } from "@mantine/core";
import { useInterval } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";

import type { Range, Timeline } from "../api/types";
import { KeyHint } from "../app/KeyHint";
import { clock, ofLength, ofSize } from "../app/words";
import type { BufferPlayer } from "../player/player";
import { Film } from "./Film";
import { type Bounds, lastSeconds, POST_ROLL_SECONDS, PRESETS, resolve } from "./selection";
import { Scale } from "./Scale";
import { gapQuestion } from "./sentences";
import classes from "./Timeline.module.css";
import type { Saving } from "./useCapture";
import { bytesIn, viewOf } from "./view";

interface PanelProps {
  timeline: Timeline;
  bounds: Bounds;
  selection: Range;
  onSelect: (range: Range) => void;
  player: BufferPlayer | null;
  saving: Saving;
  recording: boolean;
}

export function TimelinePanel(props: PanelProps) {
  const { timeline, bounds, saving } = props;
  const view = useMemo(() => viewOf(bounds.fromMs, bounds.untilMs), [bounds.fromMs, bounds.untilMs]);
  return (
    <section className={classes.panel} aria-label="Timeline">
      <Scale view={view} untilMs={bounds.untilMs} recording={props.recording} />
      <Film {...props} segments={timeline.segments} gaps={timeline.gaps} view={view} nowMs={timeline.nowMs} />
      {saving.question ? <Question saving={saving} /> : <SaveRow {...props} />}
    </section>
  );
}

function SaveRow({ timeline, bounds, selection, onSelect, saving, recording }: PanelProps) {
  return (
    <div className={classes.row}>
      <Presets selection={selection} onSelect={onSelect} />
      <SelectionInfo timeline={timeline} bounds={bounds} selection={selection} />
      {recording && <PostRoll saving={saving} />}
      <Button className={classes.save ?? ""} onClick={() => saving.save()} loading={saving.saving} data-testid="save">
        {selection.kind === "last" ? `Save last ${ofLength(selection.seconds)}` : "Save selection"}
        <KeyHint name="S" strong />
      </Button>
    </div>
  );
}

function Presets({ selection, onSelect }: { selection: Range; onSelect: (range: Range) => void }) {
  const options = PRESETS.map(({ seconds, label }) => ({ value: String(seconds), label }));
  return (
    <SegmentedControl
      className={classes.segmentsBox ?? ""}
      aria-label="Save the last"
      size="sm"
      withItemsBorders={false}
      data={options}
      value={selection.kind === "last" ? String(selection.seconds) : ""}
      onChange={(value) => onSelect(lastSeconds(Number(value)))}
    />
  );
}

function SelectionInfo({ timeline, bounds, selection }: Pick<PanelProps, "timeline" | "bounds" | "selection">) {
  const { startMs, endMs } = resolve(selection, bounds);
  const length = (endMs - startMs) / 1000;
  const short = selection.kind === "last" && length < selection.seconds - 0.5;
  return (
    <span className={classes.info} data-testid="selection">
      {clock(startMs, { tenths: true })} to {clock(endMs, { tenths: true })}
      {" · "}
      {short ? `all ${ofLength(Math.floor(length))} there are` : ofLength(Math.round(length * 10) / 10)}
      {" · "}
      {ofSize(bytesIn(timeline.segments, startMs, endMs))}
    </span>
  );
}

function PostRoll({ saving }: { saving: Saving }) {
  if (saving.postRollSince !== null)
    return <PostRollProgress since={saving.postRollSince} onCancel={saving.cancelPostRoll} />;
  return (
    <Button variant="default" onClick={() => saving.save({ postRoll: true })} title="Save it with what happens next">
      +{POST_ROLL_SECONDS} s after
      <KeyHint name="P" />
    </Button>
  );
}

function PostRollProgress({ since, onCancel }: { since: number; onCancel: () => void }) {
  const [now, setNow] = useState(Date.now());
  const { start, stop } = useInterval(() => setNow(Date.now()), 200);
  useEffect(() => {
    start();
    return stop;
  }, [start, stop]);
  const left = Math.max(0, POST_ROLL_SECONDS - (now - since) / 1000);
  const words = left > 0 ? `${Math.ceil(left)} s more` : "saving";
  return (
    <div className={classes.postRoll} data-testid="post-roll">
      <Progress
        value={100 * (1 - left / POST_ROLL_SECONDS)}
        flex={1}
        size={6}
        aria-label="Recording what happens next"
      />
      <span className={classes.info}>{words}</span>
      <Button variant="subtle" size="compact-sm" color="gray" c="var(--text)" onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}

function Question({ saving }: { saving: Saving }) {
  const { question } = saving;
  if (!question) return null;
  return (
    <div className={classes.question} role="alert">
      <p>{gapQuestion(question.gaps)}</p>
      <Button onClick={() => saving.save({ allowGaps: true, range: question.range })}>Save it as it is</Button>
      <Button variant="default" onClick={saving.dropQuestion}>
        Leave it
      </Button>
    </div>
  );
}
