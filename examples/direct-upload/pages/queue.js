// The list of chosen files: a row for each, its progress, what came of it; a few are sent at once.

import { element, say } from "./language.js";
import { send, viewOf } from "./send.js";
import { size } from "./units.js";

const AT_ONCE = 3;
const WORDS = {
  waiting: { zh: "等待", en: "waiting" },
  running: { zh: "上传中", en: "uploading" },
  checking: { zh: "核对中", en: "being checked" },
  stored: { zh: "已存好", en: "stored" },
  refused: { zh: "未被接受", en: "refused" },
  cancelled: { zh: "已取消", en: "cancelled" },
};

/** One chosen file on its way: how far it is, and at the end its `answer` or its `error`. */
export class Upload {
  state = "waiting";
  sent = 0;
  prepared = null;
  answer = null;
  error = null;

  constructor(chosen, removed) {
    this.chosen = chosen;
    this.total = chosen.file.size;
    const remove = element("button", { type: "button", class: "remove" }, "×");
    remove.append(element("span", { class: "unseen" }, say({ zh: `不传 ${chosen.path}`, en: `Leave out ${chosen.path}` })));
    remove.addEventListener("click", () => removed(this));
    this.row = element(
      "li",
      { class: "file" },
      element("b", { lang: "und" }, chosen.path),
      element("span", { class: "size" }, size(this.total)),
      element("span", { class: "type" }, say(chosen.file.type || { zh: "类型未知", en: "unknown type" })),
      element("span", { class: "state" }),
      remove,
      element("progress", { max: "100", value: "0", "aria-label": chosen.path }),
    );
    this.#show();
  }

  /** Send it in this way; whatever comes of it is kept here, and nothing is thrown. */
  async run(way, signal, onProgress) {
    try {
      this.#become("running");
      this.prepared = await way(this.chosen);
      signal.throwIfAborted();
      this.answer = await send(this.prepared.request, { signal, onProgress: (sent, total) => this.#moved(sent, total, onProgress) });
      this.#become(this.answer.status < 300 ? "stored" : "refused");
    } catch (error) {
      this.error = error;
      this.#become(error?.name === "AbortError" ? "cancelled" : "refused");
    }
    onProgress();
  }

  /** Let it wait again unless it is stored. */
  again() {
    if (this.state === "stored") return;
    Object.assign(this, { sent: 0, answer: null, error: null });
    this.#become("waiting");
  }

  /** Give up what has not begun. */
  cancel() {
    if (this.state === "waiting") this.#become("cancelled");
  }

  get isOver() {
    return ["stored", "refused", "cancelled"].includes(this.state);
  }

  #moved(sent, total, onProgress) {
    // What is sent has the form's fields around it: told in the file's own bytes.
    this.sent = total ? Math.round((this.total * sent) / total) : this.total;
    if (sent === total) this.#become("checking");
    this.#show();
    onProgress();
  }

  #become(state) {
    this.state = state;
    if (state === "stored") this.sent = this.total;
    this.#show();
  }

  #show() {
    this.row.dataset.state = this.state;
    this.row.querySelector("progress").value = this.total ? (100 * this.sent) / this.total : this.isOver ? 100 : 0;
    const said = this.row.querySelector(".state");
    if (this.state === "stored") {
      said.replaceChildren(element("a", { href: viewOf(this.prepared.key), target: "_blank" }, say(WORDS.stored)));
    } else said.replaceChildren(say(WORDS[this.state]));
  }
}

/** The files of one page, in their order. */
export class Queue {
  uploads = [];
  #list;
  #changed;

  constructor(list, changed) {
    this.#list = list;
    this.#changed = changed;
  }

  /** Add files; a list that is done begins anew. */
  add(chosen) {
    if (this.uploads.every((upload) => upload.isOver)) this.clear();
    for (const each of chosen) {
      const upload = new Upload(each, (left) => this.#remove(left));
      this.uploads.push(upload);
      this.#list.append(upload.row);
    }
    this.#tell();
  }

  clear() {
    this.uploads = [];
    this.#list.replaceChildren();
    this.#tell();
  }

  get sent() {
    return this.uploads.reduce((sum, upload) => sum + upload.sent, 0);
  }

  get total() {
    return this.uploads.reduce((sum, upload) => sum + upload.total, 0);
  }

  count(state) {
    return this.uploads.filter((upload) => upload.state === state).length;
  }

  /** Send all that waits, a few at once, until nothing waits any more. */
  async run(way, signal, onProgress) {
    if (this.uploads.every((upload) => upload.isOver)) for (const upload of this.uploads) upload.again();
    const work = async () => {
      for (let next; !signal.aborted && (next = this.uploads.find((upload) => upload.state === "waiting")); ) {
        await next.run(way, signal, onProgress);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const upload of this.uploads) upload.cancel();
  }

  #remove(upload) {
    if (upload.state !== "waiting") return;
    this.uploads = this.uploads.filter((other) => other !== upload);
    upload.row.remove();
    this.#tell();
  }

  #tell() {
    this.#list.hidden = !this.uploads.length;
    this.#list.classList.toggle("many", this.uploads.length > 1);
    this.#changed(this.uploads);
  }
}
