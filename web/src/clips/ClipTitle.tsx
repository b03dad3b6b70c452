/** A clip's title that is renamed in place by those who may: Enter keeps, Escape leaves it. */

import { TextInput, UnstyledButton } from "@mantine/core";
import { useState } from "react";

import type { Clip } from "../api/types";
import classes from "./Clips.module.css";
import { useClipActions } from "./useClipActions";
import { useMayChange } from "./useMayChange";

export function ClipTitle({ clip }: { clip: Clip }) {
  const { change } = useClipActions();
  const mayChange = useMayChange();
  const [draft, setDraft] = useState<string | null>(null);
  if (!mayChange(clip)) return <p className={classes.title}>{clip.title}</p>;
  if (draft === null) {
    return (
      <UnstyledButton
        className={classes.title ?? ""}
        title="Rename"
        aria-label={`${clip.title}. Rename`}
        onClick={() => setDraft(clip.title)}
      >
        {clip.title}
      </UnstyledButton>
    );
  }
  const keep = () => {
    const title = draft.trim();
    setDraft(null);
    if (title && title !== clip.title) change(clip, { title });
  };
  return (
    <TextInput
      autoFocus
      size="xs"
      aria-label="Title"
      maxLength={200}
      value={draft}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={keep}
      onKeyDown={(event) => {
        if (event.key === "Enter") keep();
        if (event.key === "Escape") setDraft(null);
        event.stopPropagation();
      }}
    />
  );
}
