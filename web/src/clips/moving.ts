/** Arrow keys among the cards of a grid: by where they stand on the screen. */

export type Direction = "left" | "right" | "up" | "down";

export function focusedClip(grid: HTMLElement | null): string | null {
  const card = document.activeElement?.closest("[data-clip]");
  return card instanceof HTMLElement && grid?.contains(card) ? (card.dataset["clip"] ?? null) : null;
}

/** Focus the next card in a direction; the first one when none has it. */
export function moveFocus(grid: HTMLElement | null, direction: Direction): void {
  const cards = [...(grid?.querySelectorAll<HTMLElement>("[data-clip]") ?? [])];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const boxes = cards.map((card) => card.getBoundingClientRect());
  const next = cards[at < 0 ? 0 : nextIn(boxes, at, direction)];
  next?.querySelector<HTMLElement>("button")?.focus();
}

/** The index of the box to go to, or the same one at an edge. Boxes are in reading order, rows of equal columns. */
export function nextIn(boxes: readonly { top: number }[], at: number, direction: Direction): number {
  const columns = boxes.filter((box) => box.top === boxes[0]?.top).length;
  const to = at + { left: -1, right: 1, up: -columns, down: columns }[direction];
  return to >= 0 && to < boxes.length ? to : at;
}
