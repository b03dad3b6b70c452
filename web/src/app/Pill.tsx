/** What state something is in, at a glance; announced when it changes. */

import classes from "./Pill.module.css";

export interface PillWords {
  label: string;
  tone: "live" | "wait" | "still";
}

export function Pill({ label, tone }: PillWords) {
  return (
    <span className={classes.pill} data-tone={tone} role="status" data-testid="state">
      {label}
    </span>
  );
}
