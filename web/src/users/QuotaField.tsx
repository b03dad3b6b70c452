/** A user's quota: a number that becomes a field when it is pressed. Enter keeps it, empty is the usual one. */

import { TextInput, UnstyledButton } from "@mantine/core";
import { useState } from "react";

import { setQuota } from "../api/people";
import type { User } from "../api/types";
import { useChange } from "../app/useChange";
import { ofSize } from "../app/words";
import { quotaIn, quotaWords, typed } from "./quota";
import classes from "./Users.module.css";

export function QuotaField({ user }: { user: User }) {
  const [draft, setDraft] = useState<string | null>(null);
  const change = useChange(["users"]);
  if (draft === null) {
    return (
      <UnstyledButton
        className={classes.quota ?? ""}
        aria-label={`Quota of ${user.userId}: ${quotaWords(user)}. Change`}
        onClick={() => setDraft(user.isDefault ? "" : typed(user.quotaBytes))}
      >
        {quotaWords(user)}
      </UnstyledButton>
    );
  }
  const had = user.isDefault ? null : user.quotaBytes;
  const wish = quotaIn(draft);
  const keep = () => {
    setDraft(null);
    if (wish === undefined || wish === had) return;
    void change({
      work: () => setQuota(user.userId, wish),
      said: wish === null ? `${user.userId} has the usual quota again.` : `${user.userId} has ${ofSize(wish)} now.`,
      undo: () => setQuota(user.userId, had),
    });
  };
  return (
    <TextInput
      autoFocus
      size="xs"
      w={120}
      inputMode="decimal"
      aria-label={`Quota of ${user.userId} in GB`}
      placeholder="the usual"
      value={draft}
      error={wish === undefined}
      rightSection={<span className={classes.dim}>GB</span>}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={keep}
      onKeyDown={(event) => {
        if (event.key === "Enter") keep();
        if (event.key === "Escape") setDraft(null);
      }}
    />
  );
}
