// A visitor's own picture or film: uploaded with a signed form, then shown in place of the sample.

import { element, say } from "./language.js";
import { refused, unanswered, unsigned } from "./refusal.js";
import { ask, send, signedForm, Unanswered, viewOf } from "./send.js";

const find = (id) => document.getElementById(id);

async function upload(file) {
  const { action, fields } = await ask("/sign/form-v4", file);
  const request = { method: "POST", url: action, body: signedForm(fields, file) };
  const onProgress = (sent, total) => (find("own-progress").value = (100 * sent) / total);
  const answer = await send(request, { signal: new AbortController().signal, onProgress });
  return { answer, key: fields.key };
}

function tell(name, back) {
  const button = element("button", { type: "button", class: "plain" }, say({ zh: "回到样图", en: "Back to the sample" }));
  button.addEventListener("click", back);
  find("own-name").replaceChildren(say({ zh: "正在用 ", en: "Showing " }), element("b", { lang: "und" }, name), " ", button);
  find("own-name").hidden = false;
}

/** Say in words what would be the browser's broken picture: a text, or a format that only meiku reads. */
function tellUnshowable(figure, yes) {
  figure.querySelector("img, video").hidden = yes;
  figure.querySelector(".unshowable").hidden = !yes;
}

/** Show which picture or film the cards are made of; without a key, the sample. */
export function showSource(kind, key) {
  const figure = document.querySelector(`.source[data-kind="${kind}"]`);
  const shown = key ?? figure.dataset.sample;
  const picture = figure.querySelector("img, video");
  picture.onerror = () => tellUnshowable(figure, true);
  tellUnshowable(figure, false);
  picture.src = viewOf(shown);
  figure.querySelector("figcaption").replaceChildren(element("code", { lang: "und" }, shown));
}

function fail(words) {
  find("own-outcome").replaceChildren(words);
  find("own-outcome").hidden = false;
}

/** Let a visitor choose a file; `use(kind, key)` is called when it is stored, and without a key to go back. */
export function acceptOwn(use) {
  const input = find("file");
  const back = (kind) => {
    find("own-name").hidden = true;
    use(kind);
  };
  const take = async (file) => {
    const kind = file.type.startsWith("video/") ? "video" : "image";
    find("own-outcome").hidden = true;
    find("own-progress").hidden = false;
    input.disabled = true;
    try {
      const { answer, key } = await upload(file);
      if (answer.status >= 300) return fail(refused(answer.text, answer.status));
      tell(file.name, () => back(kind));
      use(kind, key);
    } catch (error) {
      fail(error instanceof Unanswered ? unanswered() : unsigned(error));
    } finally {
      find("own-progress").hidden = true;
      input.disabled = false;
      input.value = "";
    }
  };
  input.addEventListener("change", () => input.files.length && take(input.files[0]));
}
