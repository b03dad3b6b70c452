/** The typed client: puts the token in, makes every failure a Problem. */

import createClient, { type Middleware } from "openapi-fetch";

import { getToken, setToken } from "../app/token";
import { problemOf, unreachable } from "./problem";
import type { paths } from "./schema";

const rules: Middleware = {
  onRequest({ request }) {
    const token = getToken();
    if (token) request.headers.set("Authorization", `Bearer ${token}`); // a shared clip is watched without one
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return;
    const problem = await problemOf(response);
    if (problem.code === "unauthenticated") setToken(null); // of no more use: back to the page that asks for one
    throw problem;
  },
  onError({ error }) {
    return error instanceof DOMException && error.name === "AbortError" ? error : unreachable();
  },
};

export const client = createClient<paths>({ baseUrl: location.origin });
client.use(rules);

/** The body of a successful answer: failures were thrown by the rules. */
export async function bodyOf<T>(answer: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  const { data } = await answer;
  if (data === undefined || data === null) throw new Error("The server answered without saying anything.");
  return data;
}
