// The page works without this script. It adds keys, the time a dialogue was looked at, and patience:
// an answer that the server does not take is kept and sent again, also after a reload.

const RETRY_MS = [300, 1000, 2000, 4000];
const BUTTONS = { a: "button.accept", r: "button.reject", u: "button.unsure", s: "#skip", z: "#undo" };
const find = (selector) => document.querySelector(selector);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

let busy = false;
let looked = 0; // milliseconds that this dialogue was on the screen, before `since`
let since = null;

// Kept under the reviewer's name, so that two who share a computer do not send each other's.
const key = (what) => `review.${what}.${find("main").dataset.reviewer}`;
const keep = (what, value) => {
  try {
    if (value === null) localStorage.removeItem(key(what));
    else localStorage.setItem(key(what), JSON.stringify(value));
  } catch { /* storage is full or forbidden: nothing is kept over a reload */ }
};
const kept = (what) => {
  try { return JSON.parse(localStorage.getItem(key(what))); } catch { return null; }
};

const watch = () => {
  const now = performance.now();
  if (since !== null) looked += now - since;
  since = document.hidden ? null : now;
};

const form = () => find("#form");
const reasons = () => [...document.querySelectorAll("[name=reasons]")];

const saveDraft = () => {
  const values = reasons().filter((box) => box.checked).map((box) => box.value);
  keep("draft", { id: find("main").dataset.dialogue, comment: find("#comment").value, values });
};

const begin = () => {
  looked = 0;
  since = document.hidden ? null : performance.now();
  const draft = kept("draft");
  if (!form() || !draft || draft.id !== find("main").dataset.dialogue) return;
  find("#comment").value ||= draft.comment;
  for (const box of reasons()) box.checked ||= draft.values.includes(box.value);
};

const show = (html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  if (!page.querySelector("main[data-reviewer]")) return location.assign("/");
  document.title = page.title;
  find("main").replaceWith(document.adoptNode(page.querySelector("main")));
  begin();
  window.scrollTo(0, 0);
  find("h1").focus({ preventScroll: true });
};

const send = async (action, body) => {
  busy = true;
  keep("pending", { action, body });
  let answer = null;
  for (let attempt = 0; !answer; attempt += 1) {
    try {
      answer = await fetch(action, { method: "POST", body: new URLSearchParams(body) });
      if (answer.status >= 500 || answer.status === 429) answer = null;
    } catch { /* no connection */ }
    if (answer) break;
    find("#offline").textContent = "Not saved yet: the server does not answer. Trying again …";
    await sleep(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
  }
  find("#offline").textContent = "";
  // Signed out in the meantime: the answer waits for the next sign-in.
  if (answer.status !== 401 && answer.status !== 403) keep("pending", null);
  const html = await answer.text().catch(() => null);
  busy = false;
  if (answer.ok || answer.status === 422) {
    if (answer.ok) keep("draft", null);
    if (html !== null) return show(html);
  }
  location.assign("/");
};

document.addEventListener("submit", (event) => {
  const sent = event.target;
  if (!sent.closest("main") || sent.method !== "post") return;
  event.preventDefault();
  if (busy) return;
  const button = event.submitter;
  if (button?.value === "reject" && !reasons().some((box) => box.checked)) {
    find("#problem").textContent = sent.dataset.why;
    reasons()[0].focus();
    return;
  }
  watch();
  if (sent.elements.seconds) sent.elements.seconds.value = (looked / 1000).toFixed(1);
  const body = [...new FormData(sent, button).entries()];
  send(button?.getAttribute("formaction") ?? sent.getAttribute("action"), body);
});

document.addEventListener("input", (event) => {
  if (event.target.closest("#form")) saveDraft();
  if (event.target.name === "reasons") find("#problem").textContent = "";
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const writing = event.target.closest("textarea, input:not([type=checkbox])");
  if (writing) {
    if (event.key === "Escape") writing.blur();
    return;
  }
  if (!find("#keys")?.checked || find("dialog[open]")) return;
  const letter = event.key.toLowerCase();
  const box = /^[1-9]$/.test(letter) ? reasons()[Number(letter) - 1] : null;
  const button = BUTTONS[letter] && find(BUTTONS[letter]);
  if (box) box.click();
  else if (button) button.click();
  else if (letter === "c" && find("#comment")) find("#comment").focus();
  else if (letter === "?") find("#help").showModal();
  else return;
  event.preventDefault();
});

document.addEventListener("visibilitychange", watch);
find("#keys-choice").hidden = false;
// Single keys can be turned off, for those whose speech input or screen reader sends them.
find("#keys").checked = kept("keys") ?? true;
find("#keys").addEventListener("change", (event) => keep("keys", event.target.checked));
find("#help-open").addEventListener("click", () => find("#help").showModal());
begin();
const pending = kept("pending");
if (pending) {
  const csrf = find("[name=csrf]").value;
  send(pending.action, pending.body.map(([name, value]) => [name, name === "csrf" ? csrf : value]));
}
