/** How much there is, and how much room is left. */

import { useMe } from "../api/queries";
import type { Me } from "../api/types";
import { QuotaBar } from "../app/QuotaBar";
import { ofSize } from "../app/words";
import classes from "./Clips.module.css";

export function Summary() {
  const { data: me } = useMe();
  return (
    <div className={classes.summary}>
      <p>{me ? usage(me) : ""} Deleted clips can be brought back for 10 minutes.</p>
      {me && <QuotaBar usedBytes={me.usedBytes} quotaBytes={me.quotaBytes} />}
    </div>
  );
}

function usage({ usedBytes, quotaBytes }: Me): string {
  return quotaBytes ? `${ofSize(usedBytes)} of ${ofSize(quotaBytes)} used.` : `${ofSize(usedBytes)} used.`;
}
