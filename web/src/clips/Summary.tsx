/** How much there is, and how much room is left. */

import { useClips, useMe } from "../api/queries";
import type { Me } from "../api/types";
import { QuotaBar } from "../app/QuotaBar";
import { ofSize } from "../app/words";
import classes from "./Clips.module.css";
import { NO_FILTERS } from "./filters";
import { counted } from "./useClipActions";

export function Summary() {
  const { data: me } = useMe();
  const { data, hasNextPage } = useClips(NO_FILTERS);
  // Only a library that was loaded to its end is counted.
  const count = data && !hasNextPage ? data.pages.reduce((sum, page) => sum + page.items.length, 0) : null;
  return (
    <div className={classes.summary}>
      <p>{me ? usage(me, count) : ""} Deleted clips can be brought back for 10 minutes.</p>
      {me && <QuotaBar usedBytes={me.usedBytes} quotaBytes={me.quotaBytes} />}
    </div>
  );
}

function usage({ usedBytes, quotaBytes }: Me, count: number | null): string {
  const clips = count === null ? "" : `${counted(count)}, `;
  return quotaBytes ? `${clips}${ofSize(usedBytes)} of ${ofSize(quotaBytes)}.` : `${clips}${ofSize(usedBytes)}.`;
}
