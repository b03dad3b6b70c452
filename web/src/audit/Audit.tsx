/** Who did what, to whom, when and from where; narrowed, and taken along as JSON Lines. */

import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import { exportAudit, getAudit } from "../api/audit";
import { usePages } from "../api/queries";
import type { AuditEntry, AuditFilters } from "../api/types";
import { Choice } from "../app/Choice";
import { Icon } from "../app/icons";
import { Pages } from "../app/Pages";
import { Panel } from "../app/Panel";
import { ANY_TIME, boundsOf, type Period } from "../app/period";
import { PeriodChoice } from "../app/PeriodChoice";
import { type Column, Table } from "../app/Table";
import { toastProblem } from "../app/toast";
import { clock } from "../app/words";
import classes from "./Audit.module.css";
import { ACTION_WORDS, actionWords, actorWords, factWords, subjectWords } from "./words";

type Action = AuditEntry["action"];

export function Audit({ communityId }: { communityId: string | null }) {
  const [who, setWho] = useState("");
  const [user] = useDebouncedValue(who.trim(), 300);
  const [action, setAction] = useState<Action | "">("");
  const [period, setPeriod] = useState<Period>(ANY_TIME);
  const query: AuditFilters = {
    ...boundsOf(period, Date.now()),
    ...(communityId !== null && { community: communityId }),
    ...(user && { user }),
    ...(action && { action }),
  };
  const entries = usePages(["audit", query], (cursor) => getAudit(query, cursor));
  return (
    <Panel title="Audit" aside="Nothing here can be changed by anybody.">
      <div className={classes.tools}>
        <TextInput
          type="search"
          aria-label="User id"
          placeholder="User id"
          leftSection={<Icon name="search" size={16} />}
          maxLength={255}
          value={who}
          onChange={(event) => setWho(event.currentTarget.value)}
        />
        <PeriodChoice period={period} onChange={setPeriod} />
        <Choice label="Action" value={action} usual="" options={ACTIONS} onChange={setAction} />
        <Button
          variant="default"
          size="xs"
          ml="auto"
          leftSection={<Icon name="download" size={16} />}
          onClick={() => void exportAudit(query).catch(toastProblem)}
        >
          Export
        </Button>
      </div>
      <Pages of={entries} what="entries">
        {(items) => <List entries={items} />}
      </Pages>
    </Panel>
  );
}

const ACTIONS: [Action | "", string][] = [
  ["", "Every action"],
  ...(Object.entries(ACTION_WORDS) as [Action, string][]),
];

function List({ entries }: { entries: AuditEntry[] }) {
  if (entries.length === 0) return <p className={classes.dim}>Nothing of this kind has happened.</p>;
  return <Table label="Audit" rows={entries} keyOf={(entry) => String(entry.id)} columns={COLUMNS} />;
}

const COLUMNS: Column<AuditEntry>[] = [
  { name: "When", cell: (entry) => <When at={Date.parse(entry.at)} /> },
  { name: "What", wide: true, cell: (entry) => <What entry={entry} /> },
  {
    name: "Where",
    cell: (entry) => <span className={classes.dim}>{entry.roomName ?? entry.communityId ?? ""}</span>,
  },
  { name: "From", cell: (entry) => <span className={classes.dim}>{entry.address ?? ""}</span> },
];

function When({ at }: { at: number }) {
  const day = new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return (
    <time className={classes.when} dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
      {day}, {clock(at)}
    </time>
  );
}

function What({ entry }: { entry: AuditEntry }) {
  const facts = factWords(entry.facts);
  return (
    <span className={classes.what}>
      <b>{actorWords(entry)}</b> {actionWords(entry.action)} {subjectWords(entry)}
      {facts && <small>{facts}</small>}
    </span>
  );
}
