// The pictures page: every card has its recipe followed, and followed again when it is edited.

import { facts } from "./facts.js";
import { element, say } from "./language.js";
import { acceptOwn, showSource } from "./own.js";
import { notFollowed, unanswered, unsigned } from "./refusal.js";
import { reason, viewOf } from "./send.js";
import { size } from "./units.js";

const TYPING_PAUSE_MS = 350;
// Less than the links live.
const LINK_FRESH_MS = 10 * 60 * 1000;
const NOT_SHOWN = { zh: "浏览器不显示这种格式；可以打开来下载。", en: "Browsers do not show this format; open it to download it." };
const COPIED = { zh: "已复制", en: "Copied" };

/** Write the address of what a recipe makes of an object. */
function address(key, recipe) {
  return `${viewOf(key)}?x-amz-process=${encodeURIComponent(recipe)}`;
}

/** Read the texts that a recipe carries as base64: [["text", "媒库"], …]. */
function decoded(recipe) {
  return [...recipe.matchAll(/[,/](text|image)_([A-Za-z0-9_-]+)/g)].flatMap(([, name, code]) => {
    try {
      const bytes = Uint8Array.from(atob(code.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
      return [[name, new TextDecoder("utf-8", { fatal: true }).decode(bytes)]];
    } catch {
      return [];
    }
  });
}

/** Make an image of an answer and wait until its pixels are there; null where the browser cannot. */
async function pictured(blob, recipe) {
  const image = element("img", { alt: recipe, src: URL.createObjectURL(blob) });
  try {
    await image.decode();
    return image;
  } catch {
    URL.revokeObjectURL(image.src);
    return null;
  }
}

/** Write a shown picture's sides as they are stored; a browser tells them turned as its EXIF says. */
function sides({ offsetWidth, offsetHeight, naturalWidth, naturalHeight }) {
  const turned = (offsetWidth - offsetHeight) * (naturalWidth - naturalHeight) < 0;
  return turned ? `${naturalHeight} × ${naturalWidth}` : `${naturalWidth} × ${naturalHeight}`;
}

class Card {
  #article;
  #field;
  #running = null;
  #pause = 0;
  #signed = { url: "", at_ms: 0 };

  constructor(article) {
    this.#article = article;
    this.#field = this.#part("textarea");
    this.source = article.dataset.sample;
    this.#field.addEventListener("input", () => this.#edited());
    this.#field.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    this.#part(".undo").addEventListener("click", () => this.#undo());
    this.#part(".copy").addEventListener("click", () => this.#copy());
    // Where a page is not served securely, a browser lets no script copy.
    this.#part(".copy").hidden = !navigator.clipboard;
    this.#describe();
  }

  get article() {
    return this.#article;
  }

  get kind() {
    return this.#article.dataset.kind;
  }

  get recipe() {
    return this.#field.value.replaceAll(/\s/g, "");
  }

  /** Take another object; it is shown when `show` is called. */
  set from(key) {
    this.#running?.abort();
    this.source = key;
    this.#article.dataset.state = "waiting";
    this.#describe();
  }

  /** Ask for the picture and show it, or why there is none. */
  async show() {
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    this.#article.dataset.state = "loading";
    try {
      // Never from the browser's cache: what a plain <img> left there cannot be read by script.
      const answer = await fetch(address(this.source, this.recipe), { signal, cache: "no-store" });
      const shown = await (answer.ok ? this.#made(answer) : this.#refusal(answer));
      if (!signal.aborted) this.#put(shown);
    } catch (error) {
      if (!signal.aborted) this.#put({ state: "refused", content: unanswered(), weight: "" });
    }
  }

  async #made(answer) {
    this.#signed = { url: answer.url, at_ms: performance.now() };
    const blob = await answer.blob();
    const weight = `${size(blob.size)} · ${blob.type.split("/")[1]}`;
    if (blob.type === "application/json") {
      return { state: "shown", content: facts(JSON.parse(await blob.text())), weight };
    }
    const image = await pictured(blob, this.recipe);
    if (!image) return { state: "unshowable", content: element("p", { class: "kind" }, say(NOT_SHOWN)), weight };
    return { state: "shown", content: image, weight };
  }

  async #refusal(answer) {
    const text = await answer.text();
    const ours = answer.url.startsWith(location.origin);
    const words = ours ? unsigned({ status: answer.status, message: reason(text) }) : notFollowed(text, answer.status);
    return { state: "refused", content: words, weight: "" };
  }

  #put({ state, content, weight }) {
    const old = this.#part(".shown img");
    if (old) URL.revokeObjectURL(old.src);
    this.#part(".shown").replaceChildren(content);
    this.#part(".facts-line").textContent = content.naturalWidth ? `${sides(content)} · ${weight}` : weight;
    this.#article.dataset.state = state;
  }

  #edited() {
    this.#describe();
    // Read aloud where somebody works, and not at every card that scrolls by.
    for (const part of [".shown", ".facts-line"]) this.#part(part).setAttribute("aria-live", "polite");
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.show(), TYPING_PAUSE_MS);
  }

  #undo() {
    this.#field.value = this.#article.dataset.recipe;
    this.#field.focus();
    this.#edited();
  }

  async #copy() {
    if (performance.now() - this.#signed.at_ms > LINK_FRESH_MS) await this.show();
    await navigator.clipboard.writeText(this.#signed.url || this.#part(".open").href);
    const button = this.#part(".copy");
    const words = [...button.childNodes];
    button.replaceChildren(say(COPIED));
    setTimeout(() => button.replaceChildren(...words), 1500);
  }

  /** Write what can be said of the recipe before anybody has followed it. */
  #describe() {
    this.#part(".before").textContent = `/${this.source}?x-amz-process=`;
    this.#part(".open").href = address(this.source, this.recipe);
    this.#part(".undo").hidden = this.recipe === this.#article.dataset.recipe;
    const texts = decoded(this.recipe).map(([name, text]) =>
      // In whatever language: what somebody wrote is the same on both pages.
      element("span", { lang: "und" }, `${name}: ${text}`),
    );
    this.#part(".decoded").replaceChildren(...texts);
    this.#part(".decoded").hidden = !texts.length;
  }

  #part(selector) {
    return this.#article.querySelector(selector);
  }
}

const cards = new Map([...document.querySelectorAll(".card")].map((article) => [article, new Card(article)]));
// A card is asked for when it comes near: nobody looks at all of them.
const nearby = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      nearby.unobserve(target);
      cards.get(target).show();
    }
  },
  { rootMargin: "400px" },
);

function watch(card) {
  nearby.unobserve(card.article);
  nearby.observe(card.article);
}

acceptOwn((kind, key) => {
  showSource(kind, key);
  for (const card of cards.values()) {
    if (kind !== card.kind) continue;
    card.from = key ?? card.article.dataset.sample;
    watch(card);
  }
});
for (const card of cards.values()) watch(card);
