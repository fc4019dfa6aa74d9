// The list of what has arrived. The pictures come straight from the storage, through signed links.

import { element, say } from "./language.js";
import { size } from "./units.js";

const list = document.getElementById("uploads");

function ending(upload) {
  const name = upload.key.split("/").pop();
  return element("span", { class: "kind" }, name.includes(".") ? name.split(".").pop().slice(0, 5) : "–");
}

function thumbnail(upload) {
  if (!upload.content_type.startsWith("image/")) return ending(upload);
  const picture = element("img", { src: upload.url, alt: "", loading: "lazy" });
  // No picture in spite of its name, or one that this browser cannot read.
  picture.addEventListener("error", () => picture.replaceWith(ending(upload)));
  return picture;
}

function item(upload) {
  const when = new Date(upload.modified_at);
  const form = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
  const written = { zh: when.toLocaleString("zh-CN", form), en: when.toLocaleString("en-GB", form) };
  return element(
    "li",
    {},
    element(
      "a",
      { href: upload.url, target: "_blank", "data-key": upload.key },
      element("figure", {}, thumbnail(upload)),
      element("b", {}, upload.key.split("/").pop()),
      element("span", { class: "note" }, size(upload.size_bytes), " · ", say(written)),
    ),
  );
}

async function show() {
  // Without a network there is no answer at all.
  const answer = await fetch("/uploads").catch(() => null);
  if (!answer?.ok) {
    list.replaceChildren(element("li", { class: "empty" }, say({ zh: "现在读不到列表。", en: "The list cannot be read now." })));
    return;
  }
  const uploads = await answer.json();
  const nothing = element("li", { class: "empty" }, say({ zh: "还没有。选一种方式试试。", en: "Nothing yet. Try one of the ways." }));
  list.replaceChildren(...(uploads.length ? uploads.map(item) : [nothing]));
}

show();
