/** One sentence about the state of things, and the next step. Announced when it appears. */

import type { ReactNode } from "react";

import classes from "./App.module.css";

interface NoticeProps {
  sentence: string;
  nextStep?: string | null;
  tone?: "calm" | "bad";
  children?: ReactNode;
}

export function Notice({ sentence, nextStep, tone = "calm", children }: NoticeProps) {
  return (
    <div className={classes.notice} data-notice data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      <p>
        {sentence}
        {nextStep && <small>{nextStep}</small>}
      </p>
      {children}
    </div>
  );
}
