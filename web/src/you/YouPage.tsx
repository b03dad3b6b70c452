/** Oneself: consent, what one may do and why, and one's own data. */

import { useDocumentTitle } from "@mantine/hooks";

import { useMe } from "../api/queries";
import { Answer } from "../app/Answer";
import { Consents } from "./Consents";
import { OwnData } from "./OwnData";
import { Rights } from "./Rights";
import classes from "./You.module.css";

export default function YouPage() {
  useDocumentTitle("You · Lookback");
  const me = useMe();
  return (
    <main id="main" tabIndex={-1} className={classes.page}>
      <Answer to={me}>
        {(known) => (
          <>
            <h1>{known.name ?? known.userId}</h1>
            <Consents />
            <Rights me={known} />
            <OwnData me={known} />
          </>
        )}
      </Answer>
    </main>
  );
}
