/** Without a token there is nothing to show: a sentence and a field. */

import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import classes from "./App.module.css";
import { Brand } from "./Brand";
import { setToken } from "./token";

export function Login() {
  const [text, setText] = useState("");
  const token = tokenIn(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token) setToken(token);
  };
  return (
    <main id="main" className={classes.login}>
      <Brand />
      <h1>You are not signed in</h1>
      <p>
        Open the link that the server printed when it started, or paste its token here. It stays in this tab and is
        gone when you close it.
      </p>
      <form onSubmit={submit}>
        <TextInput
          label="Token or link"
          placeholder="eyJhbGciOi…"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          mb="sm"
        />
        <Button type="submit" disabled={!token}>
          Sign in
        </Button>
      </form>
    </main>
  );
}

/** What was pasted may be the whole link. */
function tokenIn(text: string): string {
  const pasted = text.trim();
  return pasted.match(/[?&]token=([^&#\s]+)/)?.[1] ?? pasted;
}
