/** A list that comes page by page: the answer so far, and more of it. */

import type { ReactNode } from "react";

import type { usePages } from "../api/queries";
import { Answer } from "./Answer";
import { More } from "./More";

interface PagesProps<T> {
  of: ReturnType<typeof usePages<T>>;
  what: string;
  children: (items: T[]) => ReactNode;
}

export function Pages<T>({ of, what, children }: PagesProps<T>) {
  return (
    <>
      <Answer to={of}>{({ pages }) => children(pages.flatMap((page) => page.items))}</Answer>
      {of.hasNextPage && <More what={what} loading={of.isFetchingNextPage} onMore={() => void of.fetchNextPage()} />}
    </>
  );
}
