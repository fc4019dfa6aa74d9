// What a visitor has chosen: files, and all files of folders, each with its path. Nothing is sent here.

/** A file to upload: `path` is its name with the folders above it, `batch` names what was chosen together. */
export class Chosen {
  constructor(file, path, batch) {
    Object.assign(this, { file, path, batch });
  }
}

/** Invent a name for a batch that nobody can guess; randomUUID is not there where a page is not served securely. */
function newBatch() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Take the files of an input, or any others; those of a chosen folder know their path. */
export function chosenOf(files) {
  const batch = newBatch();
  return [...files].map((file) => new Chosen(file, file.webkitRelativePath || file.name, batch));
}

function read(call) {
  return new Promise((resolve, reject) => call(resolve, reject));
}

async function* entriesOf(directory) {
  const reader = directory.createReader();
  // A reader answers a hundred entries at a time, and none at the end.
  for (let some; (some = await read((...done) => reader.readEntries(...done))).length; ) yield* some;
}

async function* filesOf(entry) {
  if (entry.isFile) yield [await read((...done) => entry.file(...done)), entry.fullPath.slice(1)];
  else for await (const inner of entriesOf(entry)) yield* filesOf(inner);
}

/** Take what was dropped, folders with all that is in them. */
export async function dropped(transfer) {
  // All at once: after the first pause a browser shows what was dropped to nobody.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosenOf(transfer.files);
  const batch = newBatch();
  const chosen = [];
  for (const entry of entries) {
    for await (const [file, path] of filesOf(entry)) chosen.push(new Chosen(file, path, batch));
  }
  return chosen;
}
