/** The name, with its ring. */

import classes from "./App.module.css";

export function Brand() {
  return (
    <span className={classes.brand}>
      <span className={classes.ring} aria-hidden />
      Lookback
    </span>
  );
}
