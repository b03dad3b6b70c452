/** Which clips are selected, by id. Pure. */

export interface Picked {
  ids: ReadonlySet<string>;
  /** Where a range begins: the one picked last. */
  anchor: string | null;
}

export const NOTHING: Picked = { ids: new Set(), anchor: null };

export function toggled({ ids }: Picked, id: string): Picked {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** Everything from the anchor to here, as the list stands. */
export function upTo(picked: Picked, id: string, order: readonly string[]): Picked {
  const [from, to] = [order.indexOf(picked.anchor ?? id), order.indexOf(id)].sort((a, b) => a - b);
  if (from === undefined || to === undefined || from < 0) return toggled(picked, id);
  return { ids: new Set([...picked.ids, ...order.slice(from, to + 1)]), anchor: id };
}

/** Without those that are no longer there. */
export function among(picked: Picked, order: readonly string[]): Picked {
  const left = order.filter((id) => picked.ids.has(id));
  return left.length === picked.ids.size ? picked : { ids: new Set(left), anchor: null };
}
