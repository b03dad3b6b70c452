/** The keys. */

import { Kbd, Modal, VisuallyHidden } from "@mantine/core";

import classes from "./App.module.css";
import { Icon, type IconName } from "./icons";

const KEYS: [string[], string][] = [
  [["S"], "Save what is selected"],
  [["1", "…", "5"], "Select the last 30 s, 1, 2, 5 or 10 min"],
  [["P"], "Save it with the next 10 s"],
  [["["], "Selection begins at the picture shown"],
  [["]"], "Selection ends at the picture shown"],
  [["Left", "Right"], "One frame back or forward"],
  [["Shift", "Left", "Right"], "One second back or forward"],
  [["Space"], "Play or hold"],
  [["L"], "Live"],
  [["/"], "Search the clips"],
  [["Left", "Right", "Up", "Down"], "Go from clip to clip; Enter plays"],
  [["X"], "Select the clip, or not"],
  [["A"], "Select all clips"],
  [["Del"], "Delete the selected clips"],
  [["Esc"], "Close the clip; drop the selection"],
  [["?"], "This list"],
];

export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" closeButtonProps={{ "aria-label": "Close" }}>
      <dl className={classes.keys}>
        {KEYS.map(([keys, what]) => (
          <KeyRow key={what} keys={keys} what={what} />
        ))}
      </dl>
    </Modal>
  );
}

function KeyRow({ keys, what }: { keys: string[]; what: string }) {
  return (
    <>
      <dt>{keys.map((key) => (key === "…" ? <span key={key}>…</span> : <Key key={key} name={key} />))}</dt>
      <dd>{what}</dd>
    </>
  );
}

const ARROWS: Record<string, IconName> = { Left: "left", Right: "right", Up: "up", Down: "down" };

/** Arrows are drawn: not every font has them. */
function Key({ name }: { name: string }) {
  const arrow = ARROWS[name];
  if (!arrow) return <Kbd>{name}</Kbd>;
  return (
    <Kbd style={{ display: "inline-flex", alignItems: "center" }}>
      <Icon name={arrow} size={13} />
      <VisuallyHidden>{name}</VisuallyHidden>
    </Kbd>
  );
}
