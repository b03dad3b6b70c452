/** When: one of a few usual stretches of days, or from one day to another. */

import { Choice } from "./Choice";
import classes from "./Choice.module.css";
import { type Period, type When, WHENS } from "./period";

const WORDS: Record<When, string> = {
  any: "Any time",
  today: "Today",
  week: "This week",
  month: "This month",
  days: "From … to",
};

interface PeriodChoiceProps {
  period: Period;
  onChange: (period: Period) => void;
}

export function PeriodChoice({ period: { when, from, to }, onChange }: PeriodChoiceProps) {
  return (
    <>
      <Choice
        label="When"
        value={when}
        usual="any"
        options={WHENS.map((one) => [one, WORDS[one]])}
        onChange={(chosen) => onChange({ when: chosen, from: "", to: "" })}
      />
      {when === "days" && (
        <span className={classes.days}>
          <Day label="From" day={from} latest={to} onChange={(day) => onChange({ when, from: day, to })} />
          to
          <Day label="To" day={to} earliest={from} onChange={(day) => onChange({ when, from, to: day })} />
        </span>
      )}
    </>
  );
}

interface DayProps {
  label: string;
  day: string;
  earliest?: string;
  latest?: string;
  onChange: (day: string) => void;
}

function Day({ label, day, earliest = "", latest = "", onChange }: DayProps) {
  return (
    <input
      type="date"
      aria-label={label}
      value={day}
      min={earliest || undefined}
      max={latest || undefined}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
