// Keys for the review page: letters lead to a button or field, and Enter presses, so that no single
// key decides anything. The box switches them off.

const KEPT = "photochat-review-keys";
const keys = document.getElementById("keys");
if (keys) keys.checked = localStorage.getItem(KEPT) !== "off";
keys?.addEventListener("change", () => localStorage.setItem(KEPT, keys.checked ? "on" : "off"));

document.addEventListener("keydown", (key) => {
  if (!keys?.checked || key.ctrlKey || key.metaKey || key.altKey || key.target.matches("textarea, input:not([type=checkbox])")) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(key.key.toLowerCase())}"]`);
  if (!wanted) return;
  key.preventDefault();
  if (wanted.matches("a")) wanted.click();
  else wanted.focus();
});
if (!document.querySelector("[role=alert]")) document.getElementById("one-title")?.focus({ preventScroll: true });
for (const form of document.querySelectorAll("form.decide")) {
  form.addEventListener("submit", (submit) => { // once: a second press would be a second answer
    if (form.dataset.sent) submit.preventDefault();
    form.dataset.sent = "yes";
  });
}
