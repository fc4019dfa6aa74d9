// The panel of a scripted upload: choosing, dropping, progress, cancel, and what came of it.
// A page brings its way of uploading: way(chosen) answers {key, address, signed, request}.

import { chosenOf, dropped } from "./chosen.js";
import { element, say } from "./language.js";
import { outcomeOf } from "./outcome.js";
import { Queue } from "./queue.js";
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
    for (const other of document.querySelectorAll("#file, #folder, [data-trial]")) other.disabled = yes;
  }

  show({ sent, total, uploads }) {
    const percent = total ? (100 * sent) / total : 100;
    const speed = this.#pace.at(sent);
    find("progress").value = percent;
    // Once every byte has gone it may be stored already, and a cancel would promise too much.
    find("cancel").hidden = sent === total;
    const left = sent === total ? CHECKING : wait(speed > 0 ? (total - sent) / speed : Infinity);
    const over = uploads.filter((upload) => upload.isOver).length;
    find("pace").replaceChildren(
      element("b", {}, `${Math.floor(percent)}%`),
      element("span", {}, `${size(sent)} / ${size(total)}`),
      ...(uploads.length > 1 ? [element("span", {}, say({ zh: `${over} / ${uploads.length} 个`, en: `${over} of ${uploads.length} files` }))] : []),
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

function conclude(kind, content) {
  speak(kind === "stored" ? { zh: "上传完成", en: "Upload finished" } : { zh: "上传没有完成", en: "The upload did not finish" });
  const outcome = find("outcome");
  outcome.className = `outcome ${kind}`;
  outcome.replaceChildren(...content);
  outcome.hidden = false;
  outcome.focus({ preventScroll: true });
  outcome.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

async function upload(way, queue) {
  const controller = new AbortController();
  find("cancel").onclick = () => controller.abort();
  find("outcome").hidden = true;
  const running = new Running();
  const shown = async (chosen) => {
    const prepared = await way(chosen);
    find("signed").replaceChildren(prepared.signed);
    return prepared;
  };
  await queue.run(shown, controller.signal, () => running.show(queue));
  running.shown = false;
  describe(queue.uploads);
  conclude(...outcomeOf(queue));
}

/** Say on the button how many files it sends, or that it tries those again that were not stored. */
function describe(uploads) {
  const waiting = uploads.filter((each) => each.state === "waiting").length;
  const isAgain = !waiting && uploads.some((each) => each.state !== "stored");
  const several = { zh: `上传 ${waiting} 个文件`, en: `Upload ${waiting} files` };
  const words = waiting > 1 ? several : isAgain ? { zh: "再试一次", en: "Try again" } : { zh: "上传", en: "Upload" };
  find("send").replaceChildren(say(words));
  find("send").disabled = !waiting && !isAgain;
  find("outcome").hidden = true;
}

function acceptDrops(panel, take) {
  let depth = 0;
  const mark = (change) => panel.classList.toggle("over", (depth = Math.max(0, depth + change)) > 0);
  panel.addEventListener("dragenter", () => mark(1));
  panel.addEventListener("dragleave", () => mark(-1));
  panel.addEventListener("dragover", (event) => event.preventDefault());
  panel.addEventListener("drop", async (event) => {
    event.preventDefault();
    mark(-depth);
    take(await dropped(event.dataTransfer));
  });
}

function acceptChoices(input, take) {
  input.addEventListener("change", () => {
    const chosen = chosenOf(input.files);
    // So that the same file can be chosen again.
    input.value = "";
    take(chosen);
  });
}

/** Bring the panel to life; `trials` are ways that are meant to be refused, by the name on their button. */
export function openPanel(way, trials) {
  const queue = new Queue(find("chosen"), describe);
  const take = (chosen) => chosen.length && queue.add(chosen);
  for (const id of ["file", "folder"]) acceptChoices(find(id), take);
  acceptDrops(find("panel"), take);
  find("send").addEventListener("click", () => upload(way, queue));
  for (const button of document.querySelectorAll("[data-trial]")) {
    const note = new File(["a small note, honestly\n"], "note.txt", { type: "text/plain" });
    button.addEventListener("click", () => {
      queue.clear();
      queue.add(chosenOf([note]));
      upload(trials[button.dataset.trial], queue);
    });
  }
}
