// What controls are made of, and the two of the surroundings: network and scenario.

import { post, toast } from "./api.js";
import { make, setText } from "./dom.js";
import { say } from "./words.js";

const NETWORK = ["on", "off", "slow", "captive-portal", "error-500", "wrong-certificate", "lose-replies"];

/** A row of chips of which exactly one is chosen. `onChoose` answers whether the simulator did it. */
export function choose(parent, name, values, word, chosen, onChoose) {
  const shown = [document.documentElement.lang, chosen, ...values].join();
  if (parent.dataset.shown === shown) return;
  const turn = async (value) => {
    if (await onChoose(value)) return;
    parent.dataset.shown = "";
    choose(parent, name, values, word, chosen, onChoose);
  };
  parent.dataset.shown = shown;
  const focused = parent.contains(document.activeElement);
  parent.replaceChildren(...values.map((value) => make("label", { class: "choice", "data-value": value },
    make("input", { type: "radio", name, value, checked: value === chosen, onchange: () => turn(value) }),
    make("span", {}, word(value)))));
  if (focused) parent.querySelector("input:checked")?.focus();
}

/** A switch that shows what is, not what was pressed: it turns when the simulator says so. */
export function toggle(parent, name, word, on, onTurn) {
  const button = kept(parent, name, () => make("button", { type: "button", class: "switch", role: "switch", "data-control": name }, make("span", {}), make("i", { "aria-hidden": "true" })));
  button.onclick = () => onTurn(!on);
  button.setAttribute("aria-checked", String(on));
  setText(button.firstChild, word);
}

/** A button for something that happens once. */
export function act(parent, name, word, onPress) {
  const button = kept(parent, name, () => make("button", { type: "button", class: "quiet", "data-control": name }));
  button.onclick = onPress;
  setText(button, word);
  return button;
}

function kept(parent, name, draw) {
  let element = parent.querySelector(`[data-control="${name}"]`);
  if (!element) {
    element = draw();
    parent.append(element);
  }
  return element;
}

/** Shows network and scenario as the simulator says they stand. */
export function showControls({ network = {}, scenario = {} }) {
  const mode = network.mode ?? "on";
  choose(document.getElementById("network"), "network", NETWORK, (value) => say(`net_${value}`), mode, (value) => post("/api/network", { mode: value }));
  setText(document.getElementById("network-note"), say(`netnote_${mode}`));
  document.querySelector(".network").dataset.mode = mode;
  showScenario(scenario);
}

function showScenario({ recording = null, recorded = null, playing = null, trouble = null }) {
  const recordingNow = recording !== null;
  const buttons = document.getElementById("scenario");
  const record = act(buttons, "record", say(recordingNow ? "scenario_stop" : "scenario_record"), () => post("/api/scenario/recording", { on: !recordingNow }));
  record.dataset.on = String(recordingNow);
  record.disabled = playing !== null;
  act(buttons, "play", say(playing ? "scenario_stop" : "scenario_play"), () => (playing ? end() : playAgain())).disabled = recordingNow || (!playing && recorded === null);
  act(buttons, "save", say("scenario_save"), save).disabled = recorded === null;
  act(buttons, "open", say("scenario_open"), open).disabled = recordingNow || playing !== null;
  const words = recordingNow ? say("scenario_recording", recording)
    : playing ? say("scenario_playing", ...playing)
      : trouble ? say("scenario_trouble", trouble)
        : recorded !== null ? say("scenario_recorded", recorded) : say("scenario_idle");
  const note = document.getElementById("scenario-note");
  setText(note, words);
  note.title = words;
}

const end = () => send("DELETE");
const play = (lines) => send("POST", lines);

async function send(method, lines) {
  try {
    const answer = await fetch("/api/scenario", { method, body: lines });
    if (!answer.ok) toast(say("failed", (await answer.json()).error));
  } catch {
    toast(say("failed", say("unreachable")));
  }
}

async function playAgain() {
  const answer = await fetch("/api/scenario/recording").catch(() => null);
  if (answer?.ok) play(await answer.text());
}

function save() {
  make("a", { href: "/api/scenario/recording", download: "scenario.jsonl" }).click();
}

function open() {
  const file = document.getElementById("scenario-file");
  file.value = "";
  file.onchange = async () => file.files.length && play(await file.files[0].text());
  file.click();
}
