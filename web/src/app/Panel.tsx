/** A titled surface. */

import type { ReactNode } from "react";

import classes from "./Panel.module.css";

interface PanelProps {
  title: string;
  /** A quiet remark beside the title. */
  aside?: ReactNode;
  children: ReactNode;
}

export function Panel({ title, aside, children }: PanelProps) {
  return (
    <section className={classes.panel} aria-label={title}>
      <div className={classes.head}>
        <h2>{title}</h2>
        {aside && <span>{aside}</span>}
      </div>
      {children}
    </section>
  );
}
