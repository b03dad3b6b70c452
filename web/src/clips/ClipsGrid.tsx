/** The clips that the filters leave, with the keys that move among them. */

import { Button, Loader } from "@mantine/core";
import { type ReactNode, useRef } from "react";

import { useClips } from "../api/queries";
import { Failed } from "../app/Answer";
import { More } from "../app/More";
import { useShortcuts } from "../app/shortcuts";
import { ClipCard } from "./ClipCard";
import classes from "./Clips.module.css";
import { type Filters, narrows, NO_FILTERS } from "./filters";
import { PickedBar } from "./PickedBar";
import { useClipActions } from "./useClipActions";
import { type Direction, focusedClip, moveFocus } from "./moving";
import { useMayChange } from "./useMayChange";
import { type Picking, usePicked } from "./usePicked";

interface ClipsGridProps {
  filters: Filters;
  change: (some: Partial<Filters>) => void;
  onPlay: (clipId: string) => void;
}

export function ClipsGrid({ filters, change, onPlay }: ClipsGridProps) {
  const clips = useClips(filters);
  const grid = useRef<HTMLUListElement>(null);
  const items = clips.data?.pages.flatMap((page) => page.items) ?? [];
  const picking = usePicked(items.filter(useMayChange()).map((clip) => clip.clipId));
  const remove = useRemoval(picking);
  useGridKeys(grid, picking, remove);
  if (clips.isPending && !clips.error) return <Loader m="xl" aria-label="Loading" />;
  return (
    <>
      {clips.error && <Failed error={clips.error} onRetry={() => void clips.refetch()} />}
      {items.length === 0 && !clips.error && <Empty filters={filters} change={change} />}
      <ul ref={grid} className={classes.grid} aria-label="Clips" data-fading={clips.isPlaceholderData}>
        {items.map((clip) => (
          <ClipCard
            key={clip.clipId}
            clip={clip}
            picked={picking.ids.has(clip.clipId)}
            onPick={(range) => picking.pick(clip.clipId, range)}
            onPlay={() => onPlay(clip.clipId)}
            onTag={(tag) => change({ tag })}
          />
        ))}
      </ul>
      {clips.hasNextPage && (
        <More what="clips" loading={clips.isFetchingNextPage} onMore={() => void clips.fetchNextPage()} />
      )}
      {picking.ids.size > 0 && (
        <PickedBar
          clips={items.filter((clip) => picking.ids.has(clip.clipId))}
          onDelete={remove}
          onClear={picking.clear}
        />
      )}
    </>
  );
}

function useRemoval(picking: Picking): () => void {
  const { removeAll } = useClipActions();
  return () => {
    removeAll([...picking.ids]);
    picking.clear();
  };
}

function useGridKeys(grid: React.RefObject<HTMLElement | null>, picking: Picking, remove: () => void): void {
  const move = (direction: Direction) => () => moveFocus(grid.current, direction);
  useShortcuts({
    frameBack: move("left"),
    frameForward: move("right"),
    up: move("up"),
    down: move("down"),
    pickAll: picking.pickAll,
    pick: () => {
      const id = focusedClip(grid.current);
      if (id !== null) picking.pick(id, false);
    },
    ...(picking.ids.size > 0 && { close: picking.clear, remove }),
  });
}

function Empty({ filters, change }: Pick<ClipsGridProps, "filters" | "change">) {
  if (narrows(filters)) {
    const showAll = () => change({ ...NO_FILTERS, community: filters.community, sort: filters.sort });
    return (
      <Nothing sentence={filters.q ? `No clip has “${filters.q}” in its title, room or people.` : "No clip fits."}>
        <Button variant="default" onClick={showAll}>
          Show all clips
        </Button>
      </Nothing>
    );
  }
  return filters.community !== null ? (
    <Nothing sentence="Nobody has shared a clip here yet. Open one of yours, press Share, and choose the community." />
  ) : (
    <Nothing sentence="No clips yet. Save one on the Buffer page: press S there when something worth keeping happened." />
  );
}

function Nothing({ sentence, children }: { sentence: string; children?: ReactNode }) {
  return (
    <div className={classes.empty} role="status">
      <p>{sentence}</p>
      {children}
    </div>
  );
}
