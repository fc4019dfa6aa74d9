// A presigned PUT: ask for a signed link, send the file to it with exactly the headers that were signed.

import { element } from "./language.js";
import { openPanel } from "./panel.js";
import { ask } from "./send.js";

function shown(url, headers) {
  const parts = new URL(url);
  const lines = [`PUT ${parts.origin}${parts.pathname}`];
  for (const [name, value] of parts.searchParams) lines.push(`  ${name}=${value}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return element("pre", {}, lines.join("\n"));
}

async function prepare(chosen, change = (request) => request) {
  const { key, url, headers } = await ask("/sign/put", chosen.file, chosen);
  return {
    key,
    address: url.split("?")[0],
    signed: shown(url, headers),
    request: change({ method: "PUT", url, headers, body: chosen.file }),
  };
}

const larger = (file) => new File([file, file], file.name, { type: file.type });

openPanel(prepare, {
  type: (note) => prepare(note, (request) => ({ ...request, headers: { "Content-Type": "text/html" } })),
  key: (note) => prepare(note, (request) => ({ ...request, url: request.url.replace("note.txt", "other.txt") })),
  size: (note) => prepare(note, (request) => ({ ...request, body: larger(request.body) })),
});
