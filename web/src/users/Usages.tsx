/** Who or what takes how much of the disk, in a community or everywhere, the largest first. */

import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { type By, getUsage } from "../api/people";
import type { Usage } from "../api/types";
import { Answer } from "../app/Answer";
import { Panel } from "../app/Panel";
import { Table } from "../app/Table";
import { ofSize } from "../app/words";
import classes from "./Users.module.css";

const BY: Record<By, string> = { user: "User", room: "Room", community: "Community" };

export function Usages({ scope }: { scope: string | null }) {
  const [by, setBy] = useState<By>("user");
  const usage = useQuery({ queryKey: ["usage", scope, by], queryFn: () => getUsage(by, scope) });
  return (
    <Panel title="Usage" aside="Bytes that clips keep; those that several clips have in common count once.">
      <SegmentedControl
        aria-label="By"
        mb="sm"
        size="xs"
        value={by}
        onChange={(chosen) => setBy(chosen as By)}
        data={Object.entries(BY)
          .filter(([value]) => scope === null || value !== "community")
          .map(([value, label]) => ({ value, label }))}
      />
      <Answer to={usage}>{({ items }) => <List by={by} items={items} />}</Answer>
    </Panel>
  );
}

function List({ by, items }: { by: By; items: Usage[] }) {
  const most = Math.max(1, ...items.map((item) => item.usedBytes));
  if (items.length === 0) return <p className={classes.dim}>There are no clips yet.</p>;
  return (
    <Table
      label="Usage"
      rows={items}
      keyOf={(item) => item.key ?? ""}
      columns={[
        { name: BY[by], cell: nameOf },
        { name: "Clips", right: true, cell: (item) => item.clips },
        { name: "Used", right: true, cell: (item) => ofSize(item.usedBytes) },
        { name: "", cell: (item) => <Bar share={item.usedBytes / most} /> },
      ]}
    />
  );
}

/** What belongs to no community has no key. */
const nameOf = ({ key, name }: Usage) => name ?? key ?? "No community";

const Bar = ({ share }: { share: number }) => (
  <span className={classes.bar} aria-hidden>
    <i style={{ width: `${share * 100}%` }} />
  </span>
);
