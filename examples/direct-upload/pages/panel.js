// The panel of a scripted upload: choosing, dropping, progress, cancel, and what came of it.
// A page brings its way of uploading: way(file) answers {key, address, signed, request}.

import { element, say } from "./language.js";
import { refused, unanswered, unsigned } from "./refusal.js";
import { send, Unanswered, Unsigned, viewOf } from "./send.js";
import { Pace, size, wait } from "./units.js";

const find = (id) => document.getElementById(id);
const SPOKEN_STEP = 25;
const CHECKING = { zh: "媒库正在核对", en: "meiku is checking it" };

/** What a running upload looks like: the bar, the numbers, and now and then a spoken word. */
class Running {
  #pace = new Pace();
  #spoken = 0;

  constructor() {
    find("progress").value = 0;
    find("pace").replaceChildren();
    this.shown = true;
  }

  set shown(yes) {
    find("running").hidden = !yes;
    find("cancel").hidden = !yes;
    find("send").hidden = yes;
    for (const other of document.querySelectorAll("#file, [data-trial]")) other.disabled = yes;
  }

  show(sent, total) {
    const percent = total ? (100 * sent) / total : 100;
    const speed = this.#pace.at(sent);
    find("progress").value = percent;
    // Once every byte has gone it may be stored already, and a cancel would promise too much.
    find("cancel").hidden = sent === total;
    const left = sent === total ? CHECKING : wait(speed > 0 ? (total - sent) / speed : Infinity);
    find("pace").replaceChildren(
      element("b", {}, `${Math.floor(percent)}%`),
      element("span", {}, `${size(sent)} / ${size(total)}`),
      element("span", {}, speed > 0 ? `${size(speed)}/s` : ""),
      element("span", {}, say(left)),
    );
    this.#speak(percent);
  }

  #speak(percent) {
    const step = Math.floor(percent / SPOKEN_STEP) * SPOKEN_STEP;
    if (step <= this.#spoken) return;
    this.#spoken = step;
    speak({ zh: `已上传 ${step}%`, en: `${step}% uploaded` });
  }
}

function speak(words) {
  find("spoken").replaceChildren(say(words));
}

function conclude(kind, ...content) {
  const outcome = find("outcome");
  outcome.className = `outcome ${kind}`;
  outcome.replaceChildren(...content);
  outcome.hidden = false;
  outcome.focus({ preventScroll: true });
  outcome.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

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

function succeeded(prepared, file, answer) {
  speak({ zh: "上传完成", en: "Upload finished" });
  conclude(
    "stored",
    element("h3", {}, say({ zh: "已经存好。", en: "It is stored." })),
    ...preview(prepared.key, file.type),
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
  );
}

function failed(error) {
  speak({ zh: "上传没有完成", en: "The upload did not finish" });
  if (error?.name === "AbortError") {
    const words = { zh: "已取消，什么也没有存下。", en: "Cancelled; nothing was stored." };
    conclude("cancelled", element("h3", {}, say(words)));
  } else if (error instanceof Unanswered) conclude("refused", unanswered());
  else if (error instanceof Unsigned) conclude("refused", unsigned(error));
  else conclude("refused", unsigned(Object.assign(error, { status: 0 })));
}

async function upload(way, file) {
  const controller = new AbortController();
  find("cancel").onclick = () => controller.abort();
  find("outcome").hidden = true;
  const running = new Running();
  try {
    const prepared = await way(file);
    find("signed").replaceChildren(prepared.signed);
    const onProgress = (sent, total) => running.show(sent, total);
    const answer = await send(prepared.request, { signal: controller.signal, onProgress });
    if (answer.status < 300) succeeded(prepared, file, answer);
    else conclude("refused", refused(answer.text, answer.status));
  } catch (error) {
    failed(error);
  } finally {
    running.shown = false;
  }
}

function choose(file) {
  const type = file.type || { zh: "类型未知", en: "unknown type" };
  find("chosen").replaceChildren(
    element("b", {}, file.name),
    element("span", {}, size(file.size)),
    element("span", {}, say(type)),
  );
  find("chosen").hidden = false;
  find("send").disabled = false;
  find("outcome").hidden = true;
}

function acceptDrops(panel, take) {
  let depth = 0;
  const mark = (change) => panel.classList.toggle("over", (depth = Math.max(0, depth + change)) > 0);
  panel.addEventListener("dragenter", () => mark(1));
  panel.addEventListener("dragleave", () => mark(-1));
  panel.addEventListener("dragover", (event) => event.preventDefault());
  panel.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-depth);
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}

/** Bring the panel to life; `trials` are ways that are meant to be refused, by the name on their button. */
export function openPanel(way, trials) {
  let chosen = null;
  const take = (file) => choose((chosen = file));
  find("file").addEventListener("change", (event) => event.target.files.length && take(event.target.files[0]));
  acceptDrops(find("panel"), take);
  find("send").addEventListener("click", () => upload(way, chosen));
  for (const button of document.querySelectorAll("[data-trial]")) {
    const note = new File(["a small note, honestly\n"], "note.txt", { type: "text/plain" });
    button.addEventListener("click", () => {
      choose((chosen = note));
      upload(trials[button.dataset.trial], note);
    });
  }
}
