/** Rooms that were registered for a community. */

import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { getRooms, putRoom, removeRoom } from "../api/people";
import { Answer } from "../app/Answer";
import { Panel } from "../app/Panel";
import { Table } from "../app/Table";
import classes from "./Community.module.css";
import { useChange } from "../app/useChange";

export function Rooms({ communityId }: { communityId: string }) {
  const key = ["rooms", communityId];
  const rooms = useQuery({ queryKey: key, queryFn: () => getRooms(communityId) });
  const change = useChange(key);
  const register = (name: string) =>
    change({
      work: () => putRoom(name, communityId),
      said: `“${name}” belongs to this community now.`,
      undo: () => removeRoom(name),
    });
  const remove = (name: string) =>
    change({
      work: () => removeRoom(name),
      said: `“${name}” is no longer registered.`,
      undo: () => putRoom(name, communityId),
    });
  return (
    <Panel
      title="Rooms"
      aside="Registered here; an app can register them, too, or name the community in LiveKit's metadata."
    >
      <Answer to={rooms}>
        {({ items }) =>
          items.length === 0 ? (
            <p className={classes.dim}>No room is registered yet.</p>
          ) : (
            <Table
              label="Rooms"
              rows={items}
              keyOf={(room) => room.roomName}
              columns={[
                { name: "Room", cell: (room) => room.roomName },
                {
                  name: "",
                  right: true,
                  cell: (room) => (
                    <Button
                      size="compact-sm"
                      variant="default"
                      aria-label={`Remove ${room.roomName}`}
                      onClick={() => void remove(room.roomName)}
                    >
                      Remove
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Answer>
      <Register onRegister={register} />
    </Panel>
  );
}

function Register({ onRegister }: { onRegister: (name: string) => Promise<boolean> }) {
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onRegister(name.trim()).then((done) => done && setName(""));
  };
  return (
    <form className={classes.add} onSubmit={submit}>
      <TextInput
        label="Room's name"
        value={name}
        maxLength={255}
        autoComplete="off"
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={!name.trim()}>
        Register
      </Button>
    </form>
  );
}
