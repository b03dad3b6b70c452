/** How full somebody's room for clips is. */

import { Progress } from "@mantine/core";

import { ofSize } from "./words";

const NEARLY_FULL = 90;

export function QuotaBar({ usedBytes, quotaBytes }: { usedBytes: number; quotaBytes: number | null }) {
  if (!quotaBytes) return null;
  const percent = Math.min(100, (usedBytes / quotaBytes) * 100);
  return (
    <Progress.Root size={6} radius={3} bg="var(--hover)" data-quota>
      <Progress.Section
        value={percent}
        color={percent > NEARLY_FULL ? "var(--live)" : "var(--ok)"}
        aria-label={`${ofSize(usedBytes)} of ${ofSize(quotaBytes)} used`}
      />
    </Progress.Root>
  );
}
