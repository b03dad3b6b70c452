/** Bytes of a segment by Range request. */

/** The segment left the buffer. */
export class GoneError extends Error {}

/** Fetch bytes `[from, to)`; throws GoneError, or Error for anything that is worth another try. */
export async function fetchBytes(url: string, from: number, to: number, signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await fetch(url, { headers: { Range: `bytes=${from}-${to - 1}` }, signal });
  if (response.status === 404 || response.status === 410 || response.status === 416) throw new GoneError();
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const bytes = await response.arrayBuffer();
  return response.status === 206 ? bytes : bytes.slice(from, to);
}
