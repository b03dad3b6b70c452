/** The library: own clips and those of one's communities, searched, filtered, picked and deleted. */

import { Loader, Modal } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";

import { explain } from "../api/problem";
import { useClip } from "../api/queries";
import type { Clip } from "../api/types";
import { Notice } from "../app/Notice";
import { go } from "../app/route";
import { ClipPlayer } from "./ClipPlayer";
import { ClipsGrid } from "./ClipsGrid";
import classes from "./Clips.module.css";
import { searchOf } from "./filters";
import { Summary } from "./Summary";
import { Toolbar } from "./Toolbar";
import { useFilters } from "./useFilters";

export function ClipsPage({ clipId }: { clipId: string | null }) {
  useDocumentTitle("Clips · Lookback");
  const [filters, change] = useFilters();
  const open = (id: string | null) => go({ page: "clips", clipId: id, search: searchOf(filters) });
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <div className={classes.head}>
        <h1>Clips</h1>
        <Summary />
      </div>
      <Toolbar filters={filters} change={change} />
      <ClipsGrid filters={filters} change={change} onPlay={open} />
      <OpenClip clipId={clipId} onClose={() => open(null)} />
    </main>
  );
}

/** The clip that the address names. */
function OpenClip({ clipId, onClose }: { clipId: string | null; onClose: () => void }) {
  const { data: clip, error } = useClip(clipId);
  return (
    <Modal
      opened={clipId !== null}
      onClose={onClose}
      size={1040}
      title="Clip"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Opened clip={clip} error={error} onClose={onClose} />
    </Modal>
  );
}

interface OpenedProps {
  clip: Clip | undefined;
  error: Error | null;
  onClose: () => void;
}

function Opened({ clip, error, onClose }: OpenedProps) {
  if (clip) return <ClipPlayer clip={clip} onClose={onClose} closeLabel="Close" />;
  return error ? <Notice tone="bad" {...explain(error)} /> : <Loader aria-label="Loading" />;
}
