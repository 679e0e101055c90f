/** Files on their way to where the API wants them. */
import type { components } from "./contract.d.ts";
import { Refused } from "./problem.ts";

/** Sends a file, and tells which part of it has gone, which `fetch` does not. */
export function upload(file: File, { url, method, headers }: components["schemas"]["UploadOut"], tell: (part: number) => void, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const request = new XMLHttpRequest();
  request.open(method, url);
  // Browsers state the length themselves, and complain about those who do.
  for (const [name, value] of Object.entries(headers)) if (name !== "content-length") request.setRequestHeader(name, value);
  request.upload.onprogress = ({ loaded }) => tell(loaded / file.size);
  request.onload = () => (request.status < 300 ? resolve() : reject(new Refused(request.status, {})));
  request.onerror = request.onabort = () => reject(new Refused(0, {}));
  signal.addEventListener("abort", () => request.abort());
  request.send(file);
  return promise;
}
