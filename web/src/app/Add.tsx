/** The line under a list that adds to it: empty again once that is done. */

import { Button, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";

import classes from "./App.module.css";

interface AddProps {
  verb: string;
  ready: boolean;
  onAdd: () => void;
  /** The fields. */
  children: ReactNode;
}

export function Add({ verb, ready, onAdd, children }: AddProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAdd();
  };
  return (
    <form className={classes.add} onSubmit={submit}>
      {children}
      <Button type="submit" variant="default" disabled={!ready}>
        {verb}
      </Button>
    </form>
  );
}

interface AddNameProps {
  label: string;
  placeholder?: string;
  maxLength: number;
  verb: string;
  /** Whether it was done. */
  onAdd: (name: string) => Promise<boolean>;
}

export function AddName({ verb, onAdd, ...field }: AddNameProps) {
  const [text, setText] = useState("");
  const name = text.trim();
  return (
    <Add verb={verb} ready={name !== ""} onAdd={() => void onAdd(name).then((done) => done && setText(""))}>
      <TextInput
        {...field}
        value={text}
        autoComplete="off"
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </Add>
  );
}
