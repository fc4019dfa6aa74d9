// Which of the two languages is shown, and how scripts say something in both.
// The HTML holds both; the style sheet shows the one that <html lang> names.

const LANGUAGES = ["zh", "en"];
const root = document.documentElement;

/** Make an element's content in both languages: say({zh: "取消", en: "Cancel"}), or one text for both. */
export function say(words) {
  if (typeof words === "string") return document.createTextNode(words);
  const both = document.createDocumentFragment();
  for (const language of LANGUAGES) {
    const span = document.createElement("span");
    span.lang = language;
    span.append(words[language]);
    both.append(span);
  }
  return both;
}

/** Make an element: element("p", {class: "note"}, child, …). */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function show(language) {
  root.lang = language;
  for (const link of document.querySelectorAll("[data-language]")) {
    link.setAttribute("aria-current", String(link.dataset.language === language));
  }
}

function remember(language) {
  document.cookie = `language=${language}; max-age=31536000; path=/; samesite=lax`;
  const here = new URL(location.href);
  here.searchParams.delete("lang");
  history.replaceState(history.state, "", here);
}

// Without script these links load the page anew; with it, a running upload goes on.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-language]");
  if (!link) return;
  event.preventDefault();
  show(link.dataset.language);
  remember(link.dataset.language);
});

show(root.lang);
