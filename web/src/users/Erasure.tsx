/** Everything of a person, gone for good: the one thing that cannot be undone, so it is the one that is confirmed. */

import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { eraseData } from "../api/audit";
import { explain } from "../api/problem";
import { Notice } from "../app/Notice";
import { toast } from "../app/toast";
import classes from "./Users.module.css";

interface ErasureProps {
  userId: string;
  /** Whether it is the one who asks. */
  own?: boolean;
  onClose: () => void;
  onErased?: () => void;
}

export function Erasure({ userId, own = false, onClose, onErased }: ErasureProps) {
  const [typed, setTyped] = useState("");
  const client = useQueryClient();
  const erasing = useMutation({
    mutationFn: () => eraseData(own ? null : userId),
    onSuccess: () => {
      toast(`Everything of ${userId} is erased.`);
      onClose();
      onErased?.();
      void client.invalidateQueries();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    erasing.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`Erase ${userId}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form className={classes.erasure} onSubmit={submit}>
        <p>
          Buffers, clips and links are deleted, and what was said about consent. The audit trail keeps that it
          happened, without the name. <b>This cannot be undone.</b>
        </p>
        {erasing.error && <Notice tone="bad" {...explain(erasing.error)} />}
        <TextInput
          label={`Type ${userId} to go on`}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Button type="submit" color="red.8" disabled={typed.trim() !== userId} loading={erasing.isPending}>
          Erase everything
        </Button>
      </form>
    </Modal>
  );
}
