/** The film: pictures, gaps, the selection with its handles, and the playhead. Times are epoch milliseconds. */

import { Tooltip, VisuallyHidden } from "@mantine/core";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { memo, type PointerEvent, useRef, useState } from "react";

import type { Range, Segment, TimelineGap } from "../api/types";
import { clock, ofLength } from "../app/words";
import type { BufferPlayer } from "../player/player";
import { usePlayerView } from "../player/usePlayer";
import classes from "./Timeline.module.css";
import { type Bounds, moveSide, resolve, type Side, spread } from "./selection";
import { gapTitle } from "./sentences";
import { fractionOf, instantAt, tilesOf, type View } from "./view";

const HEIGHT = 72;
const DRAG_PIXELS = 5;

interface FilmProps {
  segments: readonly Segment[];
  gaps: readonly TimelineGap[];
  view: View;
  bounds: Bounds;
  selection: Range;
  player: BufferPlayer | null;
  nowMs: number;
  onSelect: (range: Range) => void;
}

export function Film(props: FilmProps) {
  const { view, bounds, selection, player, onSelect } = props;
  const { ref: sizeRef, width } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const ref = useMergedRef(sizeRef, box);
  const instantOf = (event: PointerEvent) => {
    const { left, width: full } = box.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return instantAt(view, (event.clientX - left) / full);
  };
  const drag = useDrag(
    instantOf,
    (from, to) => onSelect(spread(from, to, bounds)),
    (at) => player?.seek(at),
  );
  const chosen = resolve(selection, bounds);
  return (
    <div className={classes.film} ref={ref} data-testid="film" {...drag}>
      <Tiles segments={props.segments} view={view} width={width} />
      {props.gaps.map((gap) => (
        <GapStripe key={gap.startMs} gap={gap} view={view} />
      ))}
      <Selection chosen={chosen} view={view} />
      {(["start", "end"] as const).map((side) => (
        <Handle key={side} side={side} chosen={chosen} instantOf={instantOf} {...props} />
      ))}
      <Playhead player={player} view={view} bounds={bounds} nowMs={props.nowMs} />
    </div>
  );
}

/** A press that moves selects; one that does not seeks. */
function useDrag(
  instantOf: (e: PointerEvent) => number,
  onDrag: (from: number, to: number) => void,
  onTap: (at: number) => void,
) {
  const [from, setFrom] = useState<{ x: number; ms: number; moved: boolean } | null>(null);
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setFrom({ x: event.clientX, ms: instantOf(event), moved: false });
    },
    onPointerMove: (event: PointerEvent) => {
      if (!from) return;
      const moved = from.moved || Math.abs(event.clientX - from.x) > DRAG_PIXELS;
      if (moved !== from.moved) setFrom({ ...from, moved });
      if (moved) onDrag(from.ms, instantOf(event));
    },
    onPointerUp: (event: PointerEvent) => {
      if (from && !from.moved) onTap(instantOf(event));
      setFrom(null);
    },
    onPointerCancel: () => setFrom(null),
  };
}

const percent = (fraction: number) => `${(fraction * 100).toFixed(3)}%`;

const Tiles = memo(function Tiles({
  segments,
  view,
  width,
}: {
  segments: readonly Segment[];
  view: View;
  width: number;
}) {
  if (width === 0) return null;
  return tilesOf(segments, view, width, HEIGHT).map((tile) => (
    <span
      key={tile.key}
      className={classes.tile}
      style={{ left: percent(tile.left), width: percent(tile.width) }}
      aria-hidden
    >
      {tile.url && <img src={tile.url} alt="" draggable={false} decoding="async" />}
    </span>
  ));
});

function GapStripe({ gap, view }: { gap: TimelineGap; view: View }) {
  const [left, right] = [fractionOf(view, gap.startMs), fractionOf(view, gap.endMs)];
  if (right <= left) return null;
  const kind = gap.track === "audio" ? classes.soundGap : classes.gap;
  return (
    <Tooltip label={gapTitle(gap)}>
      <span className={kind} style={{ left: percent(left), width: percent(right - left) }}>
        <VisuallyHidden>Gap of {gapTitle(gap)}</VisuallyHidden>
      </span>
    </Tooltip>
  );
}

function Selection({ chosen, view }: { chosen: { startMs: number; endMs: number }; view: View }) {
  const [left, right] = [fractionOf(view, chosen.startMs), fractionOf(view, chosen.endMs)];
  return (
    <span className={classes.selection} style={{ left: percent(left), width: percent(right - left) }} aria-hidden />
  );
}

interface HandleProps extends FilmProps {
  side: Side;
  chosen: { startMs: number; endMs: number };
  instantOf: (event: PointerEvent) => number;
}

const KEY_STEPS: Record<string, number> = {
  ArrowLeft: -1000,
  ArrowDown: -1000,
  ArrowRight: 1000,
  ArrowUp: 1000,
  PageDown: -10_000,
  PageUp: 10_000,
};

/** One end of the selection, for the mouse and as a slider for the keyboard. */
function Handle({ side, chosen, view, bounds, selection, onSelect, instantOf }: HandleProps) {
  const at = side === "start" ? chosen.startMs : chosen.endMs;
  const move = (ms: number) => onSelect(moveSide(selection, side, ms, bounds));
  return (
    <span
      role="slider"
      tabIndex={0}
      className={classes.handle}
      data-side={side}
      style={{ left: percent(fractionOf(view, at)) }}
      aria-label={side === "start" ? "Selection begins" : "Selection ends"}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.round((bounds.untilMs - bounds.fromMs) / 1000)}
      aria-valuenow={Math.round((at - bounds.fromMs) / 1000)}
      aria-valuetext={clock(at, { tenths: true })}
      onKeyDown={(event) => onSliderKey(event, at, bounds, move)}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        event.stopPropagation();
        if (event.currentTarget.hasPointerCapture(event.pointerId)) move(instantOf(event));
      }}
      onPointerUp={(event) => event.stopPropagation()}
    />
  );
}

function onSliderKey(event: React.KeyboardEvent, at: number, bounds: Bounds, move: (ms: number) => void): void {
  const step = (KEY_STEPS[event.key] ?? 0) * (event.shiftKey ? 0.1 : 1);
  const target = { Home: bounds.fromMs, End: bounds.untilMs }[event.key] ?? (step ? at + step : null);
  if (target === null) return;
  event.preventDefault();
  move(target);
}

interface PlayheadProps {
  player: BufferPlayer | null;
  view: View;
  bounds: Bounds;
  nowMs: number;
}

function Playhead({ player, view, bounds, nowMs }: PlayheadProps) {
  const { positionMs } = usePlayerView(player);
  if (positionMs === null || !player) return null;
  const at = Math.min(Math.max(positionMs, bounds.fromMs), bounds.untilMs);
  return (
    <span
      role="slider"
      tabIndex={0}
      className={classes.playhead}
      style={{ left: percent(fractionOf(view, at)) }}
      aria-label="Picture shown"
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.round((bounds.untilMs - bounds.fromMs) / 1000)}
      aria-valuenow={Math.round((at - bounds.fromMs) / 1000)}
      aria-valuetext={`${clock(at)}, ${ofLength(Math.round((nowMs - at) / 1000))} ago`}
      onKeyDown={(event) => onSliderKey(event, at, bounds, (ms) => player.seek(ms))}
    />
  );
}
