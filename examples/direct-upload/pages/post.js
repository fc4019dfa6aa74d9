// A script upload: ask for a signed form, fill it, send it.

import { element } from "./language.js";
import { openPanel } from "./panel.js";
import { ask, signedForm } from "./send.js";

/** Write the signed policy for people: one condition, one line. */
function policyOf(fields) {
  const bytes = Uint8Array.from(atob(fields.policy), (character) => character.charCodeAt(0));
  const policy = JSON.parse(new TextDecoder().decode(bytes));
  return [`expiration ${policy.expiration}`, ...policy.conditions.map((one) => JSON.stringify(one))].join("\n");
}

async function prepare(chosen, change = (fields, sent) => sent) {
  const { action, fields } = await ask("/sign/form-v4", chosen.file, chosen);
  const signed = element("pre", {}, policyOf(fields));
  const sent = change(fields, chosen.file);
  return {
    key: fields.key,
    address: action.replace(/\/$/, "") + "/" + fields.key.split("/").map(encodeURIComponent).join("/"),
    signed,
    request: { method: "POST", url: action, body: signedForm(fields, sent) },
  };
}

const larger = (file) => new File([file, file], file.name, { type: file.type });

openPanel(prepare, {
  size: (note) => prepare(note, (fields, file) => larger(file)),
  type: (note) => prepare(note, (fields, file) => ((fields["Content-Type"] = "text/html"), file)),
  key: (note) => prepare(note, (fields, file) => ((fields.key = "elsewhere/note.txt"), file)),
});
