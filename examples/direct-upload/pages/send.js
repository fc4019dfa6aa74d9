// Asking the application server for a signature, and sending bytes to the storage.

/** What the application server answered instead of a signature. */
export class Unsigned extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** No answer from the storage that a page may read: refused by CORS, or nobody there. */
export class Unanswered extends Error {}

/** Read why the application server refuses, from its JSON or as it is. */
export function reason(text) {
  try {
    const { detail } = JSON.parse(text);
    return typeof detail === "string" ? detail : JSON.stringify(detail);
  } catch {
    return text;
  }
}

/** Ask the application server to sign for this file; those of one batch are stored in one folder, by their paths. */
export async function ask(path, file, { path: filename = file.name, batch } = {}) {
  const announced = { filename, batch, content_type: file.type, size_bytes: file.size };
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(announced),
  });
  if (!answer.ok) throw new Unsigned(answer.status, reason(await answer.text()));
  return answer.json();
}

/** Write the application server's address of an object: it leads to a signed one at the storage. */
export function viewOf(key) {
  return `/view/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** Put the signed fields first and the file last: what follows the file is not read. */
export function signedForm(fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return form;
}

/**
 * Send one request and follow it. XMLHttpRequest and not fetch: only it tells how far an upload has come.
 * `signal` aborts; `onProgress(sent, total)` is called on the way.
 */
export function send({ method, url, headers = {}, body }, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onload = () =>
      resolve({
        status: request.status,
        text: request.responseText,
        etag: request.getResponseHeader("ETag") ?? "",
      });
    request.onerror = () => reject(new Unanswered());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}
