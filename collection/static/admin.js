// The requester's view: asks for the numbers every few seconds and shows them, as text.

const EVERY_MS = 2_000;
const byId = (id) => document.getElementById(id);
const csrf = document.querySelector('meta[name="csrf"]').content;
const clock = (at) => new Date(at * 1000).toLocaleTimeString();
let reading = null; // the conversation whose transcript is open
let lastSeq = 0;

function make(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

function row(...cells) {
  const line = document.createElement("tr");
  line.append(...cells.map((cell) => {
    const place = document.createElement("td");
    place.append(cell instanceof Node ? cell : String(cell));
    return place;
  }));
  return line;
}

async function get(address) {
  const answer = await fetch(address, { cache: "no-store" });
  if (answer.status === 401) location.reload(); // the cookie is too old: the form comes
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
}

const counts = (id, numbers) => {
  const lines = Object.entries(numbers).sort((a, b) => b[1] - a[1]).map(([name, n]) => row(name, n.toLocaleString()));
  byId(id).replaceChildren(...(lines.length ? lines : [row("none", 0)]));
};

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;

function showNumbers(numbers) {
  for (const id of ["live", "waiting", "completed", "messages", "connections"]) byId(id).textContent = numbers[id].toLocaleString();
  byId("messages_per_minute").textContent = numbers.messages_per_minute.toFixed(1);
  const median = numbers.median_conversation_seconds;
  byId("median_conversation_seconds").textContent = median === null ? "–" : minutes(median);
  byId("money").textContent = `${numbers.money.committed} ${numbers.money.currency}`;
  const { photos, wanted, completed, leased } = numbers.coverage;
  byId("coverage").textContent = `${completed.toLocaleString()} of ${wanted.toLocaleString()} conversations held about ` +
    `${photos.toLocaleString()} photos; ${leased.toLocaleString()} in use now`;
  byId("covered").value = wanted ? completed / wanted : 0;
  for (const id of ["causes", "outcomes", "stages"]) counts(id, numbers[id]);
  byId("status").textContent = numbers.status;
  byId("status").className = `state ${numbers.status}`;
  for (const button of document.querySelectorAll("[data-status]")) button.ariaPressed = String(button.dataset.status === numbers.status);
  byId("at").textContent = clock(numbers.at);
}

function showConversations(list) {
  const focused = document.activeElement?.dataset?.conversation;
  byId("conversations").replaceChildren(...list.map((one) => {
    const button = make("button", String(one.id), "quiet");
    button.type = "button";
    button.dataset.conversation = one.id;
    button.ariaLabel = `Read conversation ${one.id}`;
    return row(button, one.cause ? `${one.phase} (${one.cause})` : one.phase, clock(one.started_at), one.events, one.photo_id);
  }));
  byId("none").hidden = list.length > 0;
  if (focused) document.querySelector(`[data-conversation="${CSS.escape(focused)}"]`)?.focus();
}

function showLine(line) {
  const item = make("li", "");
  item.append(make("span", `${line.by ?? "server"}: `, "hidden"));
  if (line.kind === "say") item.append(make("p", line.data.text + (line.data.personal ? ` [${line.data.personal.join(", ")}]` : "")));
  else {
    const { survey, description, cause } = line.data;
    const more = survey ? JSON.stringify(survey) : description ?? cause ?? "";
    item.append(make("p", [line.by, line.kind, more].filter(Boolean).join(" · ")));
  }
  item.className = line.kind === "say" ? (line.by === "sharer" ? "you" : "partner") : "line-item";
  item.append(make("time", clock(line.at)));
  byId("transcript").append(item);
}

async function refresh() {
  try {
    showNumbers(await get("/admin/summary.json"));
    const phase = byId("phase").value;
    showConversations(await get(`/admin/conversations.json${phase ? `?phase=${phase}` : ""}`));
    await readOn();
    byId("problem").textContent = "";
  } catch (error) {
    byId("problem").textContent = `Not refreshed: ${error.message}`;
  }
}

async function readOn() {
  const wanted = reading;
  if (wanted === null) return;
  const { lines } = await get(`/admin/conversations/${wanted}.json?after=${lastSeq}`);
  if (wanted !== reading) return; // another one was opened meanwhile
  for (const line of lines) {
    if (line.seq <= lastSeq) continue;
    lastSeq = line.seq;
    showLine(line);
  }
}

byId("conversations").addEventListener("click", async (click) => {
  if (!click.target.dataset.conversation) return;
  reading = Number(click.target.dataset.conversation);
  lastSeq = 0;
  byId("transcript").replaceChildren();
  byId("transcript-title").textContent = `Conversation ${reading}`;
  byId("reading").hidden = false;
  byId("transcript-title").focus();
  await readOn();
});
byId("shut").addEventListener("click", () => {
  reading = null;
  byId("reading").hidden = true;
});
byId("phase").addEventListener("change", refresh);
document.addEventListener("click", async (click) => {
  const { status } = click.target.dataset;
  if (!status) return;
  if (status === "draining" && !confirm("Let nobody in any more, and end every wait with a paid code?")) return;
  const answer = await fetch("/admin/status", { method: "POST", body: new URLSearchParams({ csrf, status }) });
  if (!answer.ok) byId("problem").textContent = `Not changed: the server answered ${answer.status}`;
  await refresh();
});

(async function again() {
  await refresh();
  setTimeout(again, EVERY_MS);
})();
