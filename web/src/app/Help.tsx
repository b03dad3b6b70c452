/** The keys. */

import { Kbd, Modal } from "@mantine/core";

import classes from "./App.module.css";

const KEYS: [string[], string][] = [
  [["S"], "Save what is selected"],
  [["1", "…", "5"], "Select the last 30 s, 1, 2, 5 or 10 min"],
  [["P"], "Save it with the next 10 s"],
  [["["], "Selection begins at the picture shown"],
  [["]"], "Selection ends at the picture shown"],
  [["←", "→"], "One frame back or forward"],
  [["Shift", "← →"], "One second back or forward"],
  [["Space"], "Play or hold"],
  [["L"], "Live"],
  [["/"], "Search the clips"],
  [["Esc"], "Close the clip"],
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
      <dt>{keys.map((key) => (key === "…" ? <span key={key}>…</span> : <Kbd key={key}>{key}</Kbd>))}</dt>
      <dd>{what}</dd>
    </>
  );
}
