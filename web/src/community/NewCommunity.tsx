/** A community begins with its first setting. */

import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { changeConfig } from "../api/people";
import { explain } from "../api/problem";
import { Notice } from "../app/Notice";
import { go } from "../app/route";
import classes from "./Community.module.css";

export function NewCommunity({ onClose }: { onClose: () => void }) {
  const [communityId, setCommunityId] = useState("");
  const [name, setName] = useState("");
  const client = useQueryClient();
  const making = useMutation({
    mutationFn: () => changeConfig(communityId.trim(), name.trim() ? { name: name.trim() } : {}),
    onSuccess: () => {
      onClose();
      void client.invalidateQueries({ queryKey: ["communities"] });
      go({ page: "community", scope: communityId.trim(), tab: "settings" });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    making.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="New community" closeButtonProps={{ "aria-label": "Close" }}>
      <form className={classes.new} onSubmit={submit}>
        {making.error && <Notice tone="bad" {...explain(making.error)} />}
        <TextInput
          label="Id"
          description="As your app names it in tokens and in rooms; it cannot be changed."
          data-autofocus
          autoComplete="off"
          maxLength={255}
          value={communityId}
          onChange={(event) => setCommunityId(event.currentTarget.value)}
        />
        <TextInput
          label="Name"
          maxLength={200}
          autoComplete="off"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" disabled={!communityId.trim()} loading={making.isPending}>
          Make it
        </Button>
      </form>
    </Modal>
  );
}
