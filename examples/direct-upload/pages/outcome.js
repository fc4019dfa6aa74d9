// What came of an upload, or of many: said in both languages, with what was stored and what was refused.

import { element, say } from "./language.js";
import { refused, unanswered, unsigned } from "./refusal.js";
import { Unanswered, Unsigned, viewOf } from "./send.js";

function preview(key, type) {
  const source = viewOf(key);
  const shown = {
    image: () => element("img", { src: source, alt: "" }),
    video: () => element("video", { src: source, controls: "" }),
    audio: () => element("audio", { src: source, controls: "" }),
  }[type.split("/")[0]];
  const open = element("a", { href: source, target: "_blank" }, say({ zh: "打开（限时链接）", en: "Open (a link that expires)" }));
  return [shown ? element("figure", { class: "preview" }, shown()) : "", element("p", {}, open)];
}

function stored({ prepared, chosen, answer }) {
  return [
    element("h3", {}, say({ zh: "已经存好。", en: "It is stored." })),
    ...preview(prepared.key, chosen.file.type),
    element(
      "dl",
      { class: "facts" },
      element("dt", {}, say({ zh: "地址", en: "Address" })),
      element("dd", {}, element("code", { id: "address" }, prepared.address)),
      element("dt", {}, say({ zh: "对象名", en: "Key" })),
      element("dd", {}, element("code", { id: "key" }, prepared.key)),
      element("dt", {}, "ETag"),
      element("dd", {}, element("code", { id: "etag" }, answer.etag)),
    ),
  ];
}

function refusal({ answer, error }) {
  if (answer) return refused(answer.text, answer.status);
  if (error instanceof Unanswered) return unanswered();
  if (error instanceof Unsigned) return unsigned(error);
  return unsigned(Object.assign(error, { status: 0 }));
}

function one(upload) {
  if (upload.state === "stored") return ["stored", stored(upload)];
  if (upload.state === "cancelled") {
    return ["cancelled", [element("h3", {}, say({ zh: "已取消，什么也没有存下。", en: "Cancelled; nothing was stored." }))]];
  }
  return ["refused", [refusal(upload)]];
}

const COUNTED = [
  ["stored", (n) => ({ zh: `${n} 个已经存好`, en: `${n} stored` })],
  ["refused", (n) => ({ zh: `${n} 个未被接受`, en: `${n} refused` })],
  ["cancelled", (n) => ({ zh: `${n} 个已取消`, en: `${n} cancelled` })],
];

function many(queue) {
  const said = COUNTED.map(([state, words]) => [queue.count(state), words]).filter(([count]) => count);
  const words = said.map(([count, write]) => write(count));
  const sentence = { zh: `${words.map((each) => each.zh).join("，")}。`, en: `${words.map((each) => each.en).join(", ")}.` };
  const wrong = queue.uploads.filter((upload) => upload.state === "refused");
  const reasons = wrong.map((upload, index) =>
    element(
      "details",
      { class: "one", ...(index === 0 ? { open: "" } : {}) },
      element("summary", { lang: "und" }, upload.chosen.path),
      refusal(upload),
    ),
  );
  const kind = wrong.length ? "refused" : queue.count("stored") ? "stored" : "cancelled";
  return [kind, [element("h3", {}, say(sentence)), ...reasons]];
}

/** Write what came of all uploads: a kind, and what to show. */
export function outcomeOf(queue) {
  return queue.uploads.length === 1 ? one(queue.uploads[0]) : many(queue);
}
