/** The library: newest first, searched by title and room. */

import { Button, Kbd, Loader, Modal, TextInput } from "@mantine/core";
import { useDebouncedValue, useDocumentTitle } from "@mantine/hooks";
import { useRef, useState } from "react";

import { explain } from "../api/problem";
import { useClip, useClips, useMe } from "../api/queries";
import type { Clip, Me } from "../api/types";
import { Icon } from "../app/icons";
import { go } from "../app/route";
import { useShortcuts } from "../app/shortcuts";
import { ofSize } from "../app/words";
import { Notice } from "../buffer/Notice";
import { ClipCard } from "./ClipCard";
import { ClipPlayer } from "./ClipPlayer";
import classes from "./Clips.module.css";

export function ClipsPage({ clipId }: { clipId: string | null }) {
  useDocumentTitle("Clips · Lookback");
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text.trim(), 250);
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ search: () => field.current?.focus() });
  const clips = useClips(q);
  const items = clips.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <div className={classes.head}>
        <h1>Clips</h1>
        <Summary />
      </div>
      <div className={classes.tools}>
        <TextInput
          ref={field}
          type="search"
          aria-label="Search titles and rooms"
          placeholder="Search titles and rooms"
          leftSection={<Icon name="search" size={16} />}
          rightSection={text ? null : <Kbd size="xs">/</Kbd>}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <span className={classes.dim} style={{ marginLeft: "auto" }}>
          newest first
        </span>
      </div>
      {clips.error && (
        <Notice tone="bad" {...explain(clips.error)}>
          <Button variant="default" onClick={() => void clips.refetch()}>
            Try again
          </Button>
        </Notice>
      )}
      <List items={items} pending={clips.isPending} q={q} />
      {clips.hasNextPage && (
        <div className={classes.more}>
          <Button variant="default" loading={clips.isFetchingNextPage} onClick={() => void clips.fetchNextPage()}>
            Show older clips
          </Button>
        </div>
      )}
      <OpenClip clipId={clipId} items={items} />
    </main>
  );
}

function Summary() {
  const { data: me } = useMe();
  return <p>{me ? usage(me) : ""} Deleted clips can be brought back for 10 minutes.</p>;
}

function usage(me: Me): string {
  return me.quotaBytes
    ? `${ofSize(me.usedBytes)} of ${ofSize(me.quotaBytes)} used.`
    : `${ofSize(me.usedBytes)} used.`;
}

function List({ items, pending, q }: { items: Clip[]; pending: boolean; q: string }) {
  if (pending) return <Loader m="xl" aria-label="Loading" />;
  if (items.length === 0) {
    return (
      <p className={classes.empty} role="status">
        {q
          ? `No clip's title or room has “${q}” in it.`
          : "No clips yet. Save one on the Buffer page: press S there when something worth keeping happened."}
      </p>
    );
  }
  return (
    <ul className={classes.grid} aria-label="Clips">
      {items.map((clip) => (
        <ClipCard key={clip.clipId} clip={clip} onPlay={() => go({ page: "clips", clipId: clip.clipId })} />
      ))}
    </ul>
  );
}

/** The clip that the address names. */
function OpenClip({ clipId, items }: { clipId: string | null; items: Clip[] }) {
  const { data, error } = useClip(clipId);
  const clip = items.find((one) => one.clipId === clipId) ?? data;
  const close = () => go({ page: "clips", clipId: null });
  return (
    <Modal
      opened={clipId !== null}
      onClose={close}
      size={1040}
      title="Clip"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {clip ? (
        <ClipPlayer clip={clip} onClose={close} closeLabel="Close" />
      ) : error ? (
        <Notice tone="bad" {...explain(error)} />
      ) : (
        <Loader aria-label="Loading" />
      )}
    </Modal>
  );
}
