// The chat page: speaks the protocol of docs/protocol.md, and shows where things stand.
// What the server or a person wrote goes into the page as text and never as HTML.

const ANSWER_MS = 10_000; // then a question counts as lost and is asked again
const RETRY_MS = 1_500;
const TYPING_MS = 2_500; // how often "typing" is sent
const TYPING_SHOWN_MS = 4_000;
const RETRY = new Set(["rate-limited", "unavailable", "replaced"]);
const SIGNS = new Set(["say", "share", "back", "wait", "finish", "submit"]); // of a partner's page, not of the server
const OVER = new Set(["ended", "over", "not-in-conversation", "shared-already"]);
const KEPT = "photochat";

const byId = (id) => document.getElementById(id);
const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("-");
const plural = (n, one, many) => (n === 1 ? one : many.replace("#", n));
const title = document.title;
const socket = io("/chat", {
  auth: { token: document.querySelector('meta[name="chat-token"]').content },
  transports: ["websocket", "polling"],
  tryAllTransports: true,
  reconnectionDelay: 500,
  reconnectionDelayMax: 5_000,
});

let live = false; // connected, and all that was missed has come
let resuming = false;
let sending = false;
let closed = false; // for good: a newer tab, or the session is over
let skew = 0; // the server's clock minus ours, in seconds
let newest = 0; // the moment of the last state: of two that overtake each other the later one counts
let unread = 0;
let typingSent = 0;
let typingTimer = 0;
const nobody = () => ({
  conversation: null, lastSeq: 0, role: null, said: 0, shared: false, photo: null,
  needed: 5, longest: 500, awayUntil: null, gone: false, choiceUntil: null, idleUntil: null,
});
let chat = nobody();

// What must outlive a reload: commands without an answer, in their order, and what was being written.
const kept = { outbox: [], draft: "", survey: {} };
try {
  Object.assign(kept, JSON.parse(sessionStorage.getItem(KEPT)));
} catch { /* no storage, or not ours */ }
function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  } catch { /* works without, until a reload */ }
}

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function write(id, text) { // only changes, so that nothing is read out twice
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

// --- the connection ----------------------------------------------------------------------------

socket.on("connect", resume);
socket.on("disconnect", (reason) => {
  live = resuming = false;
  newest = 0;
  if (closed) return;
  write("offline", "Reconnecting… nothing is lost.");
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), RETRY_MS);
});
socket.on("connect_error", (error) => {
  if (["bad-token", "session-over"].includes(error.message)) {
    return close("Please come in again", "Your session here has ended. Open your invitation link again to go on.");
  }
  write("offline", "Reconnecting… nothing is lost.");
  if (!socket.active) setTimeout(() => socket.connect(), RETRY_MS);
});

function resume() {
  if (resuming) return;
  resuming = true;
  live = false;
  byId("log").ariaBusy = "true";
  const asked = { last_seq: chat.lastSeq, conversation: chat.conversation };
  socket.timeout(ANSWER_MS).emit("resume", asked, (late, answer) => {
    resuming = false;
    if (late || RETRY.has(answer.error)) return void setTimeout(() => socket.connected && resume(), RETRY_MS);
    if (!answer.ok) return close("Something went wrong", answer.message);
    const moved = chat.conversation !== null && answer.conversation !== chat.conversation;
    enter(answer.conversation);
    if (moved && answer.conversation !== null) return resume(); // its events, from the first
    live = true;
    byId("log").ariaBusy = "false";
    write("offline", "");
    show(answer.state);
    pump();
  });
}

function close(heading, message, reusable = false) {
  closed = true;
  live = false;
  socket.disconnect();
  write("offline", "");
  write("closed-title", heading);
  write("closed-message", message);
  byId("here").hidden = !reusable;
  view("closed");
}

// --- sending: one command at a time, repeated with its client_id until there is an answer ----------

function send(name, payload) {
  kept.outbox.push({ name, payload, conversation: chat.conversation });
  keep();
  if (name === "say") pending(payload);
  pump();
}

function pump() {
  if (!live || sending || !kept.outbox.length) return;
  const { name, payload } = kept.outbox[0];
  sending = true;
  socket.timeout(ANSWER_MS).emit(name, payload, async (late, answer) => {
    if (late || RETRY.has(answer.error)) {
      sending = false;
      return void setTimeout(pump, RETRY_MS);
    }
    // While the question is open the message stays first: what came after it waits, a reload asks again.
    if (answer.error === "personal-information" && (await meant(payload, answer))) {
      payload.confirmed = true;
      keep();
    } else {
      answered(payload.client_id);
      if (answer.ok) write("problem", "");
      else refused(name, payload, answer);
    }
    sending = false;
    pump();
  });
}

function answered(clientId) {
  kept.outbox = kept.outbox.filter((item) => item.payload.client_id !== clientId);
  keep();
}

function meant(payload, answer) {
  byId("personal").querySelector(".text").textContent = answer.message;
  byId("personal").querySelector("blockquote").textContent = payload.text;
  return confirmed("personal");
}

function refused(name, payload, answer) {
  bubbleOf(payload.client_id)?.remove();
  if (OVER.has(answer.error)) return;
  if (answer.error !== "personal-information") write("problem", answer.message);
  if (name === "say") putBack(payload.text);
}

function putBack(text) {
  const box = byId("text");
  box.value = box.value ? `${text}\n${box.value}` : text;
  box.dispatchEvent(new Event("input"));
  box.focus();
}

function ask(name, payload, problem = "problem") {
  if (!live) return write(problem, "No connection at the moment. Please try again when it is back.");
  socket.timeout(ANSWER_MS).emit(name, payload, (late, answer) => {
    write(problem, late ? "No answer came. Please try again." : answer.ok ? "" : answer.message);
  });
}

// --- what happens in the conversation -----------------------------------------------------------

const happens = {
  paired(event) {
    chat.role = event.role;
    line(event.role === "sharer" ? "You are connected. You have a photo to tell about." : "You are connected. Say hello!");
  },
  say(event) {
    chat.said += 1;
    chat.idleUntil = null;
    const item = event.client_id && bubbleOf(event.client_id);
    if (item) confirm(item, event);
    else place(bubble(event.by, event.text, event.at));
    if (event.client_id) answered(event.client_id);
  },
  share(event) {
    chat.shared = true;
    chat.photo = event.photo;
    chat.idleUntil = null;
    if (event.client_id) answered(event.client_id);
    place(picture(event));
  },
  finish: () => line("The chat has ended."),
  away: (event) => event.by === "partner" && (chat.awayUntil = event.until),
  back(event) {
    chat.idleUntil = null;
    if (event.by === "partner") Object.assign(chat, { awayUntil: null, gone: false, choiceUntil: null });
  },
  gone: (event) => event.by === "partner" && Object.assign(chat, { gone: true, choiceUntil: event.choice_until }),
  wait: (event) => event.by === "you" && Object.assign(chat, { gone: false, choiceUntil: null, awayUntil: event.until }),
  nudge: (event) => event.by === "you" && (chat.idleUntil = event.until),
};

socket.on("event", (event) => {
  if (event.seq <= chat.lastSeq) return;
  if (event.seq !== chat.lastSeq + 1) return resume();
  chat.lastSeq = event.seq;
  happens[event.kind]?.(event);
  if (event.by === "partner" && SIGNS.has(event.kind)) delivered();
  if (event.by === "partner" && ["say", "share"].includes(event.kind)) {
    showTyping(false);
    if (live && document.hidden) notify();
  }
  if (live) render();
  if (event.by === "you" || stuck) toEnd();
  else if (["say", "share"].includes(event.kind)) byId("newest").hidden = false;
});
socket.on("typing", () => {
  delivered();
  showTyping(true);
});

// A change of conversation is a new partner: nothing of the old one stays.
function enter(conversation) {
  if (conversation === chat.conversation) return;
  if (chat.conversation !== null) {
    chat = nobody();
    byId("messages").replaceChildren();
    byId("picture").removeAttribute("src");
  }
  chat.conversation = conversation;
  kept.outbox = kept.outbox.filter((item) => item.conversation === conversation);
  keep();
  for (const { name, payload } of kept.outbox) if (name === "say") pending(payload);
}

// --- messages -----------------------------------------------------------------------------------

function bubble(by, text, at) {
  const item = make("li", by);
  const time = make("time", "", new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  const meta = make("span", "meta");
  meta.append(time);
  if (by === "you") meta.append(tick("sent"));
  item.append(make("span", "hidden", by === "you" ? "You: " : "Your friend: "), make("p", "", text), meta);
  return item;
}

function picture(event) {
  const item = bubble(event.by, event.by === "you" ? "You shared the photo" : "Shared a photo", event.at);
  const image = make("img", "");
  image.alt = event.photo.description;
  fresh(image, event.photo);
  const button = make("button", "photo");
  button.type = "button";
  button.ariaLabel = `Show the photo large. ${event.photo.description}`;
  button.append(image);
  button.addEventListener("click", enlarge);
  item.classList.add("act");
  item.querySelector("p").before(button);
  return item;
}

function pending(payload) {
  const item = bubble("you", payload.text, Date.now() / 1000 + skew);
  item.dataset.clientId = payload.client_id;
  item.querySelector(".tick").replaceWith(tick("sending"));
  byId("messages").append(item);
  toEnd();
}

function confirm(item, event) {
  item.querySelector("p").textContent = event.text;
  item.querySelector(".tick").replaceWith(tick("sent"));
  delete item.dataset.clientId;
}

const bubbleOf = (clientId) => byId("messages").querySelector(`[data-client-id="${CSS.escape(clientId)}"]`);
const line = (text) => place(make("li", "line-item", text));
function place(item) { // what is not sent yet stays last
  byId("messages").insertBefore(item, byId("messages").querySelector("[data-client-id]"));
}

// "Sent" is kept by the server. "Delivered" waits for a sign of life from the other side.
function tick(state) {
  const mark = make("span", `tick ${state}`);
  mark.role = "img";
  mark.ariaLabel = { sending: "Sending", sent: "Sent", delivered: "Delivered" }[state];
  return mark;
}
function delivered() {
  for (const mark of byId("messages").querySelectorAll(".tick.sent")) mark.replaceWith(tick("delivered"));
}

// Whoever reads at the end stays there: when messages come, when a keyboard opens.
let stuck = true;
byId("log").addEventListener("scroll", () => {
  stuck = byId("log").scrollHeight - byId("log").scrollTop - byId("log").clientHeight < 80;
  if (stuck) byId("newest").hidden = true;
});
new ResizeObserver(() => stuck && toEnd()).observe(byId("log"));
function toEnd() {
  byId("log").scrollTop = byId("log").scrollHeight;
  byId("newest").hidden = true;
}

function showTyping(on) {
  byId("typing").hidden = !on;
  clearTimeout(typingTimer);
  if (on) typingTimer = setTimeout(showTyping, TYPING_SHOWN_MS, false);
}

function notify() {
  unread += 1;
  document.title = `(${unread}) ${title}`;
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = title;
});

// --- what the page shows ------------------------------------------------------------------------

const shows = {
  waiting(state) {
    enter(null);
    const others = state.waiting - 1;
    const place = plural(state.position, "You are first in line", "You are number # in line");
    const wait = state.expected === null ? "" : state.expected < 60 ? " It usually takes less than a minute."
      : ` It usually takes about ${plural(Math.round(state.expected / 60), "a minute", "# minutes")}.`;
    write("position", `${place}${others ? `; ${plural(others, "one other person is", "# others are")} waiting too` : ""}.${wait}`);
    for (const note of document.querySelectorAll("[data-reason]")) note.hidden = note.dataset.reason !== state.reason;
    until("waiting-left", state.until);
    view("waiting");
  },
  talking(state) {
    if (current === "waiting" && document.hidden) notify();
    Object.assign(chat, {
      role: state.role, shared: state.phase === "shared", needed: state.min_turns_before_share, longest: state.max_message_chars,
      photo: state.photo, awayUntil: state.partner.away_until, gone: state.partner.gone, choiceUntil: state.choice_until,
    });
    view("talking");
    render();
  },
  ended(state) {
    until("survey-left", state.until);
    view("survey");
  },
  choosing(state) {
    until("choosing-left", state.until);
    view("choosing");
  },
  done(state) {
    byId("done").classList.add(state.outcome);
    write("done-title", byId("done").dataset[state.hand_in ? "lastStep" : state.outcome]);
    write("done-message", state.message);
    write("code", state.code || "");
    byId("done-code").hidden = !state.code;
    write("advice", state.advice);
    handIn(state.hand_in);
    Object.assign(kept, { outbox: [], draft: "", survey: {} });
    keep();
    view("done");
  },
  replaced: () => close("Open in another tab", "This chat goes on in the tab that you opened last.", true),
  restarting: () => write("offline", "The server restarts… nothing is lost."),
  entry: () => location.reload(), // a form is not done: the server leads there
};
socket.on("state", (state) => show(state));
function show(state) {
  if (state.now < newest) return;
  newest = state.now;
  skew = state.now - Date.now() / 1000;
  if (state.conversation) enter(state.conversation);
  shows[state.kind]?.(state);
  countdown();
}

let current = "connecting";
function view(name) {
  if (current === name) return;
  current = name;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close("no");
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
  const step = { survey: 4, done: 5 }[name] ?? 3;
  document.querySelectorAll(".steps li").forEach((item, number) => {
    item.classList.toggle("past", number < step);
    item.ariaCurrent = number === step ? "step" : null;
  });
  const heading = byId(name).querySelector("h1");
  const toText = name === "talking" && matchMedia("(pointer: fine)").matches;
  (toText ? byId("text") : heading).focus({ preventScroll: true });
  if (name === "talking") toEnd();
}

function render() {
  const sharer = chat.role === "sharer";
  byId("sharer").hidden = !(sharer || chat.shared);
  byId("receiver").hidden = sharer || chat.shared;
  if (chat.photo) {
    fresh(byId("picture"), chat.photo);
    for (const image of document.querySelectorAll("img[data-failed]")) fresh(image, chat.photo);
    byId("picture").alt = chat.photo.description;
    write("photo-title", sharer ? "Your photo" : "Your friend's photo");
    write("description", sharer ? chat.photo.description : "Ask and tell, as you would among friends.");
  }
  const missing = Math.max(0, chat.needed - chat.said);
  byId("share").hidden = !sharer || chat.shared;
  byId("share").ariaDisabled = String(missing > 0);
  write("missing", !sharer ? "" : chat.shared ? "Your friend sees it too now."
    : missing ? plural(missing, "After one more message.", "After # more messages.")
    : "Share it when it fits.");
  byId("finish").hidden = !chat.shared;
  byId("leave").hidden = chat.shared || chat.gone; // then there are better choices
  write("presence", chat.gone ? "is gone" : chat.awayUntil ? "is away" : "is here");
  byId("presence").className = chat.gone || chat.awayUntil ? "off" : "on";
  byId("gone").hidden = !chat.gone;
  byId("away").hidden = chat.gone || !chat.awayUntil;
  if (chat.awayUntil) write("away-text", "Your friend lost the connection. We wait for them to come back; you can go on writing.");
  byId("idle").hidden = !chat.idleUntil;
  until("away-left", chat.awayUntil);
  until("gone-left", chat.choiceUntil);
  until("idle-left", chat.idleUntil);
}

// How the platform gets the work: a form sent to it, or a link back to it.
function handIn(way) {
  const form = byId("hand-in");
  const back = byId("way-back");
  form.hidden = way?.method !== "post";
  back.hidden = way?.method !== "get";
  byId("hand-in-by-hand").hidden = Boolean(way);
  if (!form.hidden) {
    form.action = way.action;
    form.querySelector("button").textContent = way.label;
    form.querySelectorAll("input").forEach((input) => input.remove());
    for (const [name, value] of Object.entries(way.fields)) {
      const input = make("input", "");
      Object.assign(input, { type: "hidden", name, value });
      form.prepend(input);
    }
  }
  if (!back.hidden) Object.assign(back.firstElementChild, { href: way.action, textContent: way.label });
}

// A photo's address is good for a while: a new one is taken only when the old one fails.
function fresh(image, photo) {
  if (!photo || (image.hasAttribute("src") && !image.dataset.failed)) return;
  delete image.dataset.failed;
  image.onerror = () => {
    image.dataset.failed = "yes";
    setTimeout(() => socket.connected && resume(), ANSWER_MS);
  };
  image.src = photo.url;
}

function until(id, moment) {
  byId(id).dataset.until = moment ?? "";
  countdown();
}
function countdown() {
  for (const clock of document.querySelectorAll(".countdown")) {
    const left = Math.max(0, Math.round(Number(clock.dataset.until) - skew - Date.now() / 1000));
    if (clock.dataset.until) clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }
}
setInterval(countdown, 1000);

// --- what the person does -----------------------------------------------------------------------

function confirmed(id) {
  const dialog = byId(id);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function enlarge() {
  byId("large-picture").removeAttribute("src");
  fresh(byId("large-picture"), { url: byId("picture").src });
  byId("large-picture").alt = byId("picture").alt;
  byId("large").showModal();
}
byId("enlarge").addEventListener("click", enlarge);

const box = byId("text");
const written = () => box.value.trim().normalize(); // as the server counts and keeps it
const roomLeft = () => chat.longest - [...written()].length;
let pasted = false; // since the last message
box.addEventListener("paste", () => (pasted = true));
box.value = kept.draft;
box.addEventListener("input", () => {
  kept.draft = box.value;
  keep();
  const room = roomLeft();
  write("room", room < 0 ? `${-room} too many` : room <= 50 ? `${room} left` : "");
  if (box.value && live && Date.now() - typingSent > TYPING_MS) {
    typingSent = Date.now();
    socket.volatile.emit("typing", {});
  }
});
box.addEventListener("keydown", (key) => {
  if (key.key !== "Enter" || key.shiftKey || key.isComposing) return;
  key.preventDefault();
  byId("say").requestSubmit();
});
byId("say").addEventListener("submit", (submit) => {
  submit.preventDefault();
  const text = written();
  if (!text) return;
  if (roomLeft() < 0) return write("problem", `Please keep a message within ${chat.longest} characters.`);
  box.value = "";
  box.dispatchEvent(new Event("input"));
  typingSent = 0;
  write("problem", "");
  send("say", { client_id: newId(), text, ...(pasted && { pasted }) });
  pasted = false;
  box.focus();
});
byId("share").addEventListener("click", () => send("share", { client_id: newId() }));
byId("finish").addEventListener("click", async () => {
  if (await confirmed("confirm-finish")) send("finish", { client_id: newId() });
});
document.addEventListener("click", async (click) => {
  const { choose, confirm: id } = click.target.dataset;
  if (choose && (!id || (await confirmed(id)))) ask("choose", { choice: choose });
});
byId("newest").addEventListener("click", toEnd);
byId("here").addEventListener("click", () => location.reload());
byId("copy").addEventListener("click", () => {
  getSelection().selectAllChildren(byId("code"));
  if (navigator.clipboard ? (navigator.clipboard.writeText(byId("code").value).catch(() => {}), true) : document.execCommand("copy")) write("copy", "Copied");
});

const answers = byId("answers");
for (const [name, value] of Object.entries(kept.survey)) if (answers.elements[name]) answers.elements[name].value = value;
answers.addEventListener("input", () => {
  kept.survey = Object.fromEntries(new FormData(answers));
  keep();
});
answers.addEventListener("submit", (submit) => {
  submit.preventDefault();
  ask("submit", { survey: Object.fromEntries(new FormData(answers)) }, "survey-problem");
});
