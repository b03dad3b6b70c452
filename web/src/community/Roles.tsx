/** What every role allows: a matrix whose boxes are kept at once. */

import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { getRoles, putRole, removeRole } from "../api/people";
import type { Permission, Role } from "../api/types";
import { AddName } from "../app/Add";
import { Answer } from "../app/Answer";
import { PERMISSION_WORDS } from "../app/may";
import { Panel } from "../app/Panel";
import { type Column, Table } from "../app/Table";
import classes from "./Community.module.css";
import { toast } from "../app/toast";
import { useChange } from "../app/useChange";

const PERMISSIONS = Object.keys(PERMISSION_WORDS) as Permission[];

export function Roles({ scope }: { scope: string | null }) {
  const key = ["roles", scope];
  const roles = useQuery({ queryKey: key, queryFn: () => getRoles(scope) });
  const change = useChange(key);
  const allow = (role: Role, permission: Permission, allowed: boolean) =>
    change({
      work: () => putRole(scope, role.role, toggled(role.permissions, permission, allowed)),
      said: `${role.role}: “${PERMISSION_WORDS[permission]}” ${allowed ? "is allowed" : "is not allowed any more"}.`,
      undo: () => putRole(scope, role.role, role.permissions),
    });
  const add = async (role: string) => {
    if (roles.data?.items.some((one) => one.role === role)) {
      toast(`There is a role “${role}” already.`); // made again, it would allow nothing any more
      return false;
    }
    return change({ work: () => putRole(scope, role, []), said: `There is a role “${role}” now.` });
  };
  const remove = (role: Role) =>
    change({
      work: () => removeRole(scope, role.role),
      said: role.builtIn ? `“${role.role}” means what it meant before.` : `“${role.role}” is gone.`,
      undo: () => putRole(scope, role.role, role.permissions),
    });
  return (
    <Panel
      title="Roles"
      aside={
        scope === null ? "They hold everywhere, unless a community has its own." : "They hold in this community."
      }
    >
      <Answer to={roles}>
        {({ items }) => (
          <Table label="Roles" rows={items} keyOf={(role) => role.role} columns={columns(allow, remove)} />
        )}
      </Answer>
      <AddName label="New role" maxLength={100} verb="Add" onAdd={add} />
    </Panel>
  );
}

type Allow = (role: Role, permission: Permission, allowed: boolean) => Promise<boolean>;

function columns(allow: Allow, remove: (role: Role) => Promise<boolean>): Column<Role>[] {
  return [
    { name: "Role", cell: (role) => role.role },
    ...PERMISSIONS.map((permission): Column<Role> => ({
      name: PERMISSION_WORDS[permission],
      cell: (role) => (
        <input
          type="checkbox"
          className={classes.box}
          aria-label={`${role.role}: ${PERMISSION_WORDS[permission]}`}
          checked={role.permissions.includes(permission)}
          onChange={(event) => void allow(role, permission, event.currentTarget.checked)}
        />
      ),
    })),
    {
      name: "",
      right: true,
      cell: (role) => role.definedHere && <Remove role={role} onRemove={() => void remove(role)} />,
    },
  ];
}

/** What was there before comes back; a role that was made here goes. */
function Remove({ role, onRemove }: { role: Role; onRemove: () => void }) {
  const verb = role.builtIn ? "Reset" : "Remove";
  return (
    <Button size="compact-sm" variant="default" aria-label={`${verb} ${role.role}`} onClick={onRemove}>
      {verb}
    </Button>
  );
}

const toggled = (permissions: Permission[], permission: Permission, allowed: boolean) =>
  allowed ? [...permissions, permission] : permissions.filter((one) => one !== permission);
