/** Local times above the film, and where now is. */

import { useElementSize } from "@mantine/hooks";

import classes from "./Timeline.module.css";
import { fractionOf, ticksOf, type View } from "./view";

const LABEL_PIXELS = 78;
const HALF_LABEL_PIXELS = 26;

export function Scale({ view, untilMs, recording }: { view: View; untilMs: number; recording: boolean }) {
  const { ref, width } = useElementSize();
  const edge = fractionOf(view, untilMs);
  const last = recording ? edge * width - 2 * HALF_LABEL_PIXELS : width - HALF_LABEL_PIXELS;
  const ticks = ticksOf(view, width / LABEL_PIXELS).filter(({ ms }) => {
    const at = fractionOf(view, ms) * width;
    return at >= HALF_LABEL_PIXELS && at <= last;
  });
  return (
    <div className={classes.scale} ref={ref} aria-hidden>
      {ticks.map(({ ms, label }) => (
        <span key={ms} style={{ left: `${fractionOf(view, ms) * 100}%` }}>
          {label}
        </span>
      ))}
      {recording && (
        <span className={classes.now} style={{ left: `${edge * 100}%` }} data-end={(1 - edge) * width < 14}>
          now
        </span>
      )}
    </div>
  );
}
