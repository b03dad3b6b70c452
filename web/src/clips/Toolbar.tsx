/** Search, filters and order of the library. */

import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useRef, useState } from "react";

import { useMe } from "../api/queries";
import type { Clip } from "../api/types";
import { Chip, Choice } from "../app/Choice";
import { Icon } from "../app/icons";
import { KeyHint } from "../app/KeyHint";
import { PeriodChoice } from "../app/PeriodChoice";
import { useShortcuts } from "../app/shortcuts";
import classes from "./Clips.module.css";
import { type Filters, type Sort, SORTS } from "./filters";
import { useKnown } from "./useKnown";

interface ToolbarProps {
  filters: Filters;
  change: (some: Partial<Filters>) => void;
}

const SORT_WORDS: Record<Sort, string> = {
  newest: "newest first",
  oldest: "oldest first",
  longest: "longest first",
  largest: "largest first",
};

export function Toolbar({ filters, change }: ToolbarProps) {
  const rooms = useKnown((clip: Clip) => [clip.roomName], filters.room);
  const tags = useKnown((clip: Clip) => clip.tags, filters.tag);
  return (
    <div className={classes.tools} role="search" aria-label="Clips">
      <SearchField q={filters.q} onSearch={(q) => change({ q })} />
      <Whose filters={filters} change={change} />
      <PeriodChoice period={filters} onChange={({ when, from, to }) => change({ when, from, to })} />
      {rooms.length > 0 && (
        <Choice
          label="Room"
          value={filters.room ?? ""}
          usual=""
          options={[["", "Any room"], ...rooms.map((room): [string, string] => [room, room])]}
          onChange={(room) => change({ room: room || null })}
        />
      )}
      {tags.length > 0 && (
        <Choice
          label="Tag"
          value={filters.tag ?? ""}
          usual=""
          options={[["", "Any tag"], ...tags.map((tag): [string, string] => [tag, `#${tag}`])]}
          onChange={(tag) => change({ tag: tag || null })}
        />
      )}
      <Choice
        label="Order"
        plain
        value={filters.sort}
        usual="newest"
        options={SORTS.map((sort) => [sort, SORT_WORDS[sort]])}
        onChange={(sort) => change({ sort })}
      />
    </div>
  );
}

/** What is typed is searched when the typing pauses. */
function SearchField({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const [text, setText] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const search = useDebouncedCallback((typed: string) => {
    onSearch(typed.trim());
    setText(null);
  }, 250);
  useShortcuts({ search: () => field.current?.focus() });
  const shown = text ?? q;
  return (
    <TextInput
      ref={field}
      type="search"
      maxLength={200}
      aria-label="Search titles, rooms, people"
      placeholder="Search titles, rooms, people"
      leftSection={<Icon name="search" size={16} />}
      rightSection={shown ? null : <KeyHint name="/" />}
      value={shown}
      onChange={(event) => {
        setText(event.currentTarget.value);
        search(event.currentTarget.value);
      }}
    />
  );
}

function Whose({ filters, change }: ToolbarProps) {
  const { data: me } = useMe();
  const own = filters.community === null;
  return (
    <div className={classes.chips} role="group" aria-label="Whose clips">
      <Chip on={own && !filters.linked} label="Mine" onClick={() => change({ community: null, linked: false })} />
      {me?.communities.map(({ communityId, name }) => (
        <Chip
          key={communityId}
          on={filters.community === communityId}
          label={name ?? communityId}
          onClick={() => change({ community: communityId, linked: false })}
        />
      ))}
      <Chip
        on={own && filters.linked}
        label="Shared by link"
        onClick={() => change({ community: null, linked: true })}
      />
    </div>
  );
}
