/** What stands where an answer of the server should: it is awaited, it failed, or it is there. */

import { Button, Loader } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { explain } from "../api/problem";
import { Notice } from "./Notice";

interface AnswerProps<T> {
  to: Pick<UseQueryResult<T>, "data" | "error" | "refetch">;
  children: (data: T) => ReactNode;
}

export function Answer<T>({ to, children }: AnswerProps<T>) {
  if (to.data !== undefined) return children(to.data);
  if (!to.error) return <Loader m="lg" aria-label="Loading" />;
  return <Failed error={to.error} onRetry={() => void to.refetch()} />;
}

export function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <Notice tone="bad" {...explain(error)}>
      <Button variant="default" onClick={onRetry}>
        Try again
      </Button>
    </Notice>
  );
}
