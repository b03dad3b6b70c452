/** Who has which roles. */

import { MultiSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { getMembers, getRoles, putMember, removeMember } from "../api/people";
import { usePages } from "../api/queries";
import type { Member } from "../api/types";
import { Add } from "../app/Add";
import { Pages } from "../app/Pages";
import { Panel } from "../app/Panel";
import { Person } from "../app/Person";
import { Table } from "../app/Table";
import classes from "./Community.module.css";
import { useChange } from "../app/useChange";

/** Nobody is given it: all have it. */
const EVERYBODY = "everybody";

export function Members({ scope }: { scope: string | null }) {
  const key = ["members", scope];
  const members = usePages(key, (cursor) => getMembers(scope, cursor));
  const roles = useQuery({ queryKey: ["roles", scope], queryFn: () => getRoles(scope) });
  const names = roles.data?.items.map((role) => role.role).filter((role) => role !== EVERYBODY) ?? [];
  const change = useChange(key);
  const give = (member: Pick<Member, "userId" | "roles">, given: string[]) =>
    change({
      work: () => (given.length ? putMember(scope, member.userId, given) : removeMember(scope, member.userId)),
      said: given.length
        ? `${member.userId} is now: ${given.join(", ")}.`
        : `${member.userId} has no role here any more.`,
      undo: () =>
        member.roles.length ? putMember(scope, member.userId, member.roles) : removeMember(scope, member.userId),
    });
  /** Whoever is in the list already keeps what they have. */
  const giveMore = (userId: string, more: string[]) => {
    const known = members.data?.pages.flatMap((page) => page.items) ?? [];
    const member = known.find((one) => one.userId === userId) ?? { userId, roles: [] };
    return give(member, [...new Set([...member.roles, ...more])]);
  };
  return (
    <Panel title="Members" aside="Those with a role of their own. What everybody may is the role “everybody”.">
      <Pages of={members} what="members">
        {(items) =>
          items.length === 0 ? (
            <p className={classes.dim}>Nobody has a role of their own yet.</p>
          ) : (
            <Table
              label="Members"
              rows={items}
              keyOf={(member) => member.userId}
              columns={[
                { name: "User", cell: (member) => <Person {...member} /> },
                {
                  name: "Roles",
                  cell: (member) => (
                    <RolesOf member={member} names={names} onChange={(given) => give(member, given)} />
                  ),
                },
              ]}
            />
          )
        }
      </Pages>
      <Give names={names} onGive={giveMore} />
    </Panel>
  );
}

interface RolesOfProps {
  member: Member;
  names: string[];
  onChange: (roles: string[]) => void;
}

function RolesOf({ member, names, onChange }: RolesOfProps) {
  return (
    <MultiSelect
      aria-label={`Roles of ${member.userId}`}
      size="xs"
      maw={420}
      data={[...new Set([...names, ...member.roles])]}
      value={member.roles}
      onChange={onChange}
    />
  );
}

interface GiveProps {
  names: string[];
  onGive: (userId: string, roles: string[]) => Promise<boolean>;
}

function Give({ names, onGive }: GiveProps) {
  const [userId, setUserId] = useState("");
  const [roles, setRoles] = useState<string[]>([]);
  const give = () => void onGive(userId.trim(), roles).then((done) => done && (setUserId(""), setRoles([])));
  return (
    <Add verb="Give" ready={userId.trim() !== "" && roles.length > 0} onAdd={give}>
      <TextInput
        label="User id"
        value={userId}
        maxLength={255}
        autoComplete="off"
        onChange={(event) => setUserId(event.currentTarget.value)}
      />
      <MultiSelect label="Roles" miw={260} data={names} value={roles} onChange={setRoles} />
    </Add>
  );
}
