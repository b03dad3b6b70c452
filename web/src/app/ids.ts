/** A fresh random id, also where the page is not served over HTTPS (crypto.randomUUID is missing there). */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
