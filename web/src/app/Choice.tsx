/** Chips to filter by: a choice that is pressed, or one of a few. */

import classes from "./Choice.module.css";

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  /** The one that keeps nothing out. */
  usual: T;
  options: [T, string][];
  onChange: (value: T) => void;
  /** Quiet, at the end of the line. */
  plain?: boolean;
}

/** The browser's own select, so that phones and screen readers have theirs. */
export function Choice<T extends string>({ label, value, usual, options, onChange, plain = false }: ChoiceProps<T>) {
  return (
    <select
      className={classes.choice}
      data-on={value !== usual}
      data-plain={plain}
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as T)}
    >
      {options.map(([option, words]) => (
        <option key={option} value={option}>
          {words}
        </option>
      ))}
    </select>
  );
}

export function Chip({ on, label, onClick }: { on: boolean; label: string; onClick: () => void }) {
  return (
    <button type="button" className={classes.chip} aria-pressed={on} onClick={onClick}>
      {label}
    </button>
  );
}
