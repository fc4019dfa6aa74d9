// Numbers as people read them. Nothing here touches the page.

/** Write a size: 12.3 MB. */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${step === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${units[step]}`;
}

/** Write a time still to wait, in both languages. */
export function wait(seconds) {
  if (!Number.isFinite(seconds)) return { zh: "", en: "" };
  if (seconds < 1.5) return { zh: "还剩 1 秒", en: "1 second left" };
  if (seconds < 90) return { zh: `还剩 ${Math.round(seconds)} 秒`, en: `${Math.round(seconds)} seconds left` };
  const minutes = Math.round(seconds / 60);
  return { zh: `还剩 ${minutes} 分钟`, en: `${minutes} minutes left` };
}

/** How fast bytes go, measured over the last few seconds so that it follows the line without trembling. */
export class Pace {
  #samples = [];

  /** Note that `bytes` have gone by `now_ms`; answers bytes per second. */
  at(bytes, now_ms = performance.now()) {
    this.#samples.push([now_ms, bytes]);
    while (this.#samples.length > 2 && now_ms - this.#samples[0][0] > 4000) this.#samples.shift();
    const [since_ms, from] = this.#samples[0];
    return now_ms > since_ms ? ((bytes - from) * 1000) / (now_ms - since_ms) : 0;
  }
}
