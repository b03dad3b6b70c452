/** Who has which roles. */

import { Button, MultiSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { getMembers, getRoles, putMember, removeMember } from "../api/people";
import type { Member } from "../api/types";
import { Answer } from "../app/Answer";
import { Panel } from "../app/Panel";
import { Table } from "../app/Table";
import classes from "./Community.module.css";
import { useChange } from "../app/useChange";

/** Nobody is given it: all have it. */
const EVERYBODY = "everybody";

export function Members({ scope }: { scope: string | null }) {
  const key = ["members", scope];
  const members = useQuery({ queryKey: key, queryFn: () => getMembers(scope) });
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
  return (
    <Panel title="Members" aside="Those with a role of their own. What everybody may is the role “everybody”.">
      <Answer to={members}>
        {({ items }) =>
          items.length === 0 ? (
            <p className={classes.dim}>Nobody has a role of their own yet.</p>
          ) : (
            <Table
              label="Members"
              rows={items}
              keyOf={(member) => member.userId}
              columns={[
                { name: "User", cell: (member) => <Who member={member} /> },
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
      </Answer>
      <Add names={names} onAdd={(userId, given) => give({ userId, roles: [] }, given)} />
    </Panel>
  );
}

function Who({ member: { userId, name } }: { member: Member }) {
  return (
    <>
      {name ?? userId} {name !== null && name !== userId && <span className={classes.dim}>{userId}</span>}
    </>
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

interface AddProps {
  names: string[];
  onAdd: (userId: string, roles: string[]) => Promise<boolean>;
}

function Add({ names, onAdd }: AddProps) {
  const [userId, setUserId] = useState("");
  const [roles, setRoles] = useState<string[]>([]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onAdd(userId.trim(), roles).then((done) => done && (setUserId(""), setRoles([])));
  };
  return (
    <form className={classes.add} onSubmit={submit}>
      <TextInput
        label="User id"
        value={userId}
        maxLength={255}
        autoComplete="off"
        onChange={(event) => setUserId(event.currentTarget.value)}
      />
      <MultiSelect label="Roles" miw={260} data={names} value={roles} onChange={setRoles} />
      <Button type="submit" variant="default" disabled={!userId.trim() || roles.length === 0}>
        Give
      </Button>
    </form>
  );
}
