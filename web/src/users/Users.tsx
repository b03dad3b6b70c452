/** Everybody this server knows: how much their clips take, how much they may, and what can be done for them. */

import { Menu, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import { exportData } from "../api/audit";
import { getUsers } from "../api/people";
import { usePages } from "../api/queries";
import type { User } from "../api/types";
import { Icon } from "../app/icons";
import { Pages } from "../app/Pages";
import { Panel } from "../app/Panel";
import { Person } from "../app/Person";
import { QuotaBar } from "../app/QuotaBar";
import { type Column, Table } from "../app/Table";
import { toastProblem } from "../app/toast";
import { ago, ofSize } from "../app/words";
import { Erasure } from "./Erasure";
import { QuotaField } from "./QuotaField";
import classes from "./Users.module.css";

export function Users() {
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text.trim(), 250);
  const [erased, erase] = useState<User | null>(null);
  const users = usePages(["users", q], (cursor) => getUsers(q, cursor));
  return (
    <Panel title="Users" aside="Everybody who was here once. A quota holds for the clips that are kept.">
      <TextInput
        type="search"
        aria-label="Search users"
        placeholder="Search users"
        leftSection={<Icon name="search" size={16} />}
        maw={300}
        mb="sm"
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Pages of={users} what="users">
        {(items) => <List users={items} q={q} onErase={erase} />}
      </Pages>
      {erased && <Erasure userId={erased.userId} onClose={() => erase(null)} />}
    </Panel>
  );
}

function List({ users, q, onErase }: { users: User[]; q: string; onErase: (user: User) => void }) {
  if (users.length === 0) {
    return <p className={classes.dim}>{q ? `Nobody's id or name has “${q}” in it.` : "Nobody has been here yet."}</p>;
  }
  return <Table label="Users" rows={users} keyOf={(user) => user.userId} columns={columns(onErase)} />;
}

function columns(onErase: (user: User) => void): Column<User>[] {
  return [
    { name: "User", cell: (user) => <Person {...user} /> },
    { name: "Clips", right: true, cell: (user) => user.clips },
    { name: "Used", cell: (user) => <Used user={user} /> },
    { name: "Quota", cell: (user) => <QuotaField user={user} /> },
    { name: "Last seen", cell: (user) => (user.lastSeenAt ? ago(Date.parse(user.lastSeenAt), Date.now()) : "never") },
    { name: "", right: true, cell: (user) => <MoreActions user={user} onErase={() => onErase(user)} /> },
  ];
}

function Used({ user }: { user: User }) {
  return (
    <span className={classes.used}>
      {ofSize(user.usedBytes)}
      <QuotaBar usedBytes={user.usedBytes} quotaBytes={user.quotaBytes} />
    </span>
  );
}

function MoreActions({ user, onErase }: { user: User; onErase: () => void }) {
  return (
    <Menu position="bottom-end" width={210}>
      <Menu.Target>
        <UnstyledButton className={classes.more ?? ""} aria-label={`More for ${user.userId}`}>
          <Icon name="more" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void exportData(user.userId).catch(toastProblem)}>Export their data</Menu.Item>
        <Menu.Item c="var(--live)" onClick={onErase}>
          Erase their data…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
