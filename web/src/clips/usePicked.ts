/** The selected clips of the list that is shown. */

import { useState } from "react";

import { among, NOTHING, type Picked, toggled, upTo } from "./picked";

export interface Picking {
  ids: ReadonlySet<string>;
  pick: (id: string, range: boolean) => void;
  pickAll: () => void;
  clear: () => void;
}

/** `order`: the ids of the list, from its first to its last. */
export function usePicked(order: readonly string[]): Picking {
  const [kept, keep] = useState<Picked>(NOTHING);
  const picked = among(kept, order);
  return {
    ids: picked.ids,
    pick: (id, range) => keep(range ? upTo(picked, id, order) : toggled(picked, id)),
    pickAll: () => keep({ ids: new Set(order), anchor: null }),
    clear: () => keep(NOTHING),
  };
}
