/** Somebody by their name, with their id where that is something else. */

import classes from "./App.module.css";

export function Person({ userId, name }: { userId: string; name: string | null }) {
  return (
    <span>
      {name ?? userId} {name !== null && name !== userId && <span className={classes.id}>{userId}</span>}
    </span>
  );
}
