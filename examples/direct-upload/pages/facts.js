// JSON as people read it: names with values, lists numbered, a colour as a colour. Nothing is fetched here.

import { element } from "./language.js";

const COLOUR = /^0x([0-9a-f]{6})$/;
// What people look for stands before all that a camera noted.
const FIRST = ["Format", "ImageWidth", "ImageHeight", "FileSize", "FrameCount"];

function swatch(colour) {
  const box = element("p", { class: "swatch" }, element("code", {}, `#${colour}`));
  // By script: the page's policy allows no style in attributes.
  box.style.backgroundColor = `#${colour}`;
  return box;
}

function written(value) {
  if (value === null || value === "") return "–";
  if (Array.isArray(value)) return value.length ? many(value) : "–";
  // image/info wraps every value in an object of its own.
  if (typeof value === "object") return "value" in value ? String(value.value) : one(value);
  return String(value);
}

function many(list) {
  const made = document.createDocumentFragment();
  made.append(...list.map((item) => (typeof item === "object" ? one(item) : `${item} `)));
  return made;
}

function one(object) {
  const names = [...new Set([...FIRST.filter((name) => name in object), ...Object.keys(object)])];
  const rows = names.map((name) => [name, object[name]]).flatMap(([name, value]) => [
    element("dt", {}, name),
    element("dd", {}, written(value)),
  ]);
  return element("dl", {}, ...rows);
}

/** Write what an answer in JSON says. */
export function facts(answer) {
  const colour = COLOUR.exec(answer.RGB ?? "");
  if (colour) return swatch(colour[1]);
  return element("div", { class: "json", tabindex: "0", role: "group", "aria-label": "JSON" }, one(answer));
}
