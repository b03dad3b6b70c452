/** Scale, film, and the row that saves. */

import { Button, Kbd, Progress, SegmentedControl } from "@mantine/core";
import { useElementSize, useInterval } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";

import type { Range, Timeline } from "../api/types";
import { clock, ofLength, ofSize } from "../app/words";
import type { BufferPlayer } from "../player/player";
import { Film } from "./Film";
import { type Bounds, lastSeconds, POST_ROLL_SECONDS, PRESETS, resolve } from "./selection";
import { gapQuestion } from "./sentences";
import classes from "./Timeline.module.css";
import type { Saving } from "./useCapture";
import { bytesIn, fractionOf, ticksOf, type View, viewOf } from "./view";

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
  const { timeline, bounds, selection, saving } = props;
  const view = useMemo(() => viewOf(bounds.fromMs, bounds.untilMs), [bounds.fromMs, bounds.untilMs]);
  return (
    <section className={classes.panel} aria-label="Timeline">
      <Scale view={view} bounds={bounds} recording={props.recording} />
      <Film {...props} segments={timeline.segments} gaps={timeline.gaps} view={view} nowMs={timeline.nowMs} />
      <div className={classes.row}>
        <Presets selection={selection} onSelect={props.onSelect} />
        <SelectionInfo timeline={timeline} bounds={bounds} selection={selection} />
        {props.recording && <PostRoll saving={saving} />}
        <Button
          className={classes.save ?? ""}
          onClick={() => saving.save()}
          loading={saving.saving}
          data-testid="save"
        >
          {selection.kind === "last" ? `Save last ${ofLength(selection.seconds)}` : "Save selection"}
          <Kbd ml={10} size="xs" bg="transparent" c="inherit" style={{ borderColor: "currentColor", opacity: 0.7 }}>
            S
          </Kbd>
        </Button>
      </div>
      {saving.question && <Question saving={saving} />}
    </section>
  );
}

const LABEL_PIXELS = 78;
const NOW_PIXELS = 52;

function Scale({ view, bounds, recording }: { view: View; bounds: Bounds; recording: boolean }) {
  const { ref, width } = useElementSize();
  const edge = fractionOf(view, bounds.untilMs);
  const ticks = ticksOf(view, width / LABEL_PIXELS).filter((tick) => {
    const apart = Math.abs(fractionOf(view, tick.ms) - edge) * width;
    return apart > NOW_PIXELS || !recording;
  });
  return (
    <div className={classes.scale} ref={ref} aria-hidden>
      {ticks.map((tick) => (
        <Label key={tick.ms} at={fractionOf(view, tick.ms)} width={width} text={tick.label} />
      ))}
      {recording && <Label at={edge} width={width} text="now" className={classes.now} />}
    </div>
  );
}

function Label({
  at,
  width,
  text,
  className = "",
}: {
  at: number;
  width: number;
  text: string;
  className?: string | undefined;
}) {
  const edge = at * width < 28 ? "start" : (1 - at) * width < 28 ? "end" : undefined;
  return (
    <span className={className} style={{ left: `${at * 100}%` }} data-edge={edge}>
      {text}
    </span>
  );
}

function Presets({ selection, onSelect }: { selection: Range; onSelect: (range: Range) => void }) {
  const options = PRESETS.map(({ seconds, label }) => ({ value: String(seconds), label }));
  return (
    <SegmentedControl
      className={classes.segmentsBox ?? ""}
      aria-label="Save the last"
      size="sm"
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
      <Kbd ml={10} size="xs" bg="transparent" c="dimmed">
        P
      </Kbd>
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
