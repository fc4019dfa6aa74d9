// A refusal in plain words: the storage's XML read, said in both languages, and shown with what it names.

import { element, say } from "./language.js";
import { size } from "./units.js";

const PLAIN = {
  AccessDenied: { zh: "签名里没有允许这样上传。", en: "The signature does not allow this upload." },
  EntityTooLarge: { zh: "文件比签名允许的大。", en: "The file is larger than the signature allows." },
  EntityTooSmall: { zh: "文件比签名允许的小。", en: "The file is smaller than the signature allows." },
  SignatureDoesNotMatch: {
    zh: "发送的内容与签名不符。",
    en: "What was sent is not what was signed.",
  },
  InvalidAccessKeyId: { zh: "媒库不认识这个访问密钥。", en: "meiku does not know this access key." },
  NoSuchBucket: { zh: "桶不存在。", en: "The bucket does not exist." },
  RequestTimeTooSkewed: { zh: "时钟相差太多。", en: "The clocks are too far apart." },
  InsufficientStorage: { zh: "存储空间不足。", en: "The storage is full." },
};
const EXPIRED = { zh: "签名已过期，请再要一个。", en: "The signature has expired; ask for another." };
const OTHERWISE = { zh: "媒库没有接受这次上传。", en: "meiku did not accept this upload." };

/** Read the XML of an S3 error; anything else becomes an error without a code. */
export function parse(text, status) {
  const xml = new DOMParser().parseFromString(text, "application/xml");
  const error = xml.documentElement.localName === "Error" ? xml.documentElement : null;
  const read = (name, from = error) => from?.querySelector(`:scope > ${name}`)?.textContent ?? "";
  return {
    status,
    code: read("Code"),
    message: read("Message"),
    step: read("Step"),
    parameter: read("ArgumentName"),
    cause: read("LikelyCause"),
    difference: read("FirstDifference"),
    proposed: read("ProposedSize"),
    allowed: read("MaxSizeAllowed") || read("MinSizeAllowed"),
    conditions: [...(error?.querySelectorAll(":scope > Conditions > *") ?? [])].map((condition) => ({
      field: read("Field", condition),
      value: read("Value", condition),
      expected: read("Expected", condition),
      met: read("Met", condition) === "true",
    })),
    text,
  };
}

function inPlainWords(refusal) {
  if (/expired/i.test(refusal.message)) return EXPIRED;
  return PLAIN[refusal.code] ?? OTHERWISE;
}

function conditionItem(condition) {
  const sent = condition.value || "–";
  return element(
    "li",
    { class: condition.met ? "met" : "unmet" },
    element("b", {}, condition.field),
    element("span", { class: "unseen" }, say(condition.met ? { zh: "：符合", en: ": met" } : { zh: "：不符", en: ": not met" })),
    element(
      "dl",
      {},
      element("dt", {}, say({ zh: "要求", en: "asked" })),
      element("dd", {}, element("code", {}, condition.expected)),
      element("dt", {}, say({ zh: "收到", en: "sent" })),
      element("dd", {}, element("code", {}, sent)),
    ),
  );
}

function* details(refusal) {
  if (refusal.cause) {
    yield element("p", { class: "cause" }, element("b", {}, say({ zh: "媒库的推测：", en: "meiku’s guess: " })), refusal.cause);
  }
  if (refusal.difference) yield element("p", {}, element("code", {}, refusal.difference));
  if (refusal.proposed) {
    const [sent, allowed] = [size(Number(refusal.proposed)), size(Number(refusal.allowed))];
    yield element("p", {}, say({ zh: `发送了 ${sent}，允许 ${allowed}。`, en: `Sent ${sent}; ${allowed} allowed.` }));
  }
  if (refusal.conditions.length) {
    // What failed first, so that nobody has to look for it.
    const ordered = refusal.conditions.toSorted((one, other) => Number(one.met) - Number(other.met));
    yield element("ul", { class: "conditions" }, ...ordered.map(conditionItem));
  }
}

/** Show what the storage refused, and why. */
export function refused(text, status) {
  const refusal = parse(text, status);
  return element(
    "div",
    { class: "refusal", "data-code": refusal.code },
    element("h3", {}, say(inPlainWords(refusal))),
    element("p", { class: "said" }, element("code", {}, `${status} ${refusal.code}`), ` ${refusal.message}`),
    ...details(refusal),
    element(
      "details",
      {},
      element("summary", {}, say({ zh: "媒库的原话（XML）", en: "meiku’s own words (XML)" })),
      element("pre", {}, text),
    ),
  );
}

/** Show why the storage did not follow a recipe: its own sentence, and the step and parameter that it names. */
export function notFollowed(text, status) {
  const { code, message, step, parameter } = parse(text, status);
  const places = [
    [{ zh: "步骤", en: "step" }, step],
    [{ zh: "参数", en: "parameter" }, parameter],
  ].filter(([, name]) => name);
  const named = places.map(([words, name]) => element("span", {}, say(words), " ", element("code", {}, name)));
  return element(
    "div",
    { class: "refusal", "data-code": code, "data-step": step, "data-parameter": parameter },
    element("p", { class: "verdict" }, say({ zh: "媒库没有照做。", en: "meiku did not follow it." })),
    ...(named.length ? [element("p", { class: "where" }, ...named)] : []),
    element("p", { class: "said" }, element("code", {}, `${status} ${code}`), ` ${message}`),
  );
}

/** Show why the application server would not sign. */
export function unsigned(error) {
  const words =
    error.status === 413
      ? { zh: "文件太大，应用服务器没有签名。", en: "The file is too large; the application server did not sign." }
      : { zh: "应用服务器没有签名。", en: "The application server did not sign." };
  return element(
    "div",
    { class: "refusal" },
    element("h3", {}, say(words)),
    element("p", { class: "said" }, element("code", {}, String(error.status || "")), ` ${error.message}`),
  );
}

/** Show what can be known when the browser hides the answer: which origin this is, and which one is allowed. */
export function unanswered() {
  const allowed = document.querySelector('meta[name="page-origin"]').content;
  const box = element(
    "div",
    { class: "refusal", "data-code": "Unanswered" },
    element("h3", {}, say({ zh: "浏览器没有得到可读的响应。", en: "The browser got no answer that it may read." })),
  );
  if (location.origin === allowed) {
    box.append(element("p", {}, say({ zh: "媒库可能已停止，或网络中断。", en: "meiku may have stopped, or the network is down." })));
    return box;
  }
  const right = element("a", { href: allowed + location.pathname }, allowed + location.pathname);
  box.append(
    element(
      "p",
      {},
      say({
        zh: `这个页面的源是 ${location.origin}，而桶的 CORS 规则只允许 ${allowed}。`,
        en: `This page’s origin is ${location.origin}; the bucket’s CORS rule allows only ${allowed}.`,
      }),
    ),
    element("p", {}, say({ zh: "请从这里打开：", en: "Open it here: " }), right),
  );
  return box;
}
