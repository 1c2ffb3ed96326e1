// The chat page: speaks the protocol of docs/protocol.md over the socket, and shows what it says.
"use strict";

const byId = (id) => document.getElementById(id);
const token = document.querySelector('meta[name="chat-token"]').content;
const socket = io("/chat", { auth: { token } });
let conversation = null;
let lastSeq = 0;
let shown = 0;

function show(state) {
  if (state.now < shown) return;
  shown = state.now;
  const talking = state.kind === "talking";
  byId("status").textContent = state.message || state.kind;
  byId("say").hidden = !talking;
  byId("share").hidden = !(talking && state.role === "sharer" && state.phase !== "shared");
  byId("finish").hidden = !(talking && state.phase === "shared");
  byId("survey").hidden = !(state.kind === "ended" && !state.submitted.you);
  byId("choices").hidden = !(state.kind === "choosing" || (talking && state.partner.gone));
  if (state.photo) showPhoto(state.photo);
  if (state.conversation && state.conversation !== conversation) {
    conversation = state.conversation;
    lastSeq = 0;
    byId("log").replaceChildren();
  }
}

function showPhoto(photo) {
  byId("photo").hidden = false;
  byId("picture").src = photo.url;
  byId("description").textContent = photo.description;
}

function ask(name, payload) {
  socket.emit(name, payload, (answer) => {
    byId("problem").textContent = answer.ok ? "" : answer.message;
  });
}

function resume() {
  socket.emit("resume", { last_seq: lastSeq, conversation }, (answer) => {
    if (answer.ok) show(answer.state);
  });
}

const newId = () => crypto.getRandomValues(new Uint32Array(2)).join("-");

socket.on("connect", resume);
socket.on("state", show);
socket.on("event", (event) => {
  if (event.seq <= lastSeq) return;
  if (event.seq !== lastSeq + 1) return resume();
  lastSeq = event.seq;
  if (event.photo) showPhoto(event.photo);
  const line = document.createElement("li");
  line.textContent = `${event.by || ""} ${event.text || event.kind}`;
  byId("log").append(line);
  if (["share", "gone", "back", "wait"].includes(event.kind)) resume();
});
byId("say").addEventListener("submit", (submit) => {
  submit.preventDefault();
  ask("say", { client_id: newId(), text: byId("text").value });
  byId("text").value = "";
});
byId("share").addEventListener("click", () => ask("share", { client_id: newId() }));
byId("finish").addEventListener("click", () => ask("finish", { client_id: newId() }));
byId("survey").addEventListener("submit", (submit) => {
  submit.preventDefault();
  ask("submit", { survey: Object.fromEntries(new FormData(submit.target)) });
});
byId("choices").addEventListener("click", (click) => {
  if (click.target.dataset.choice) ask("choose", { choice: click.target.dataset.choice });
});
