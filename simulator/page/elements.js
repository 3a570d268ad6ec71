// The kiosk's screen as buttons, for people who use the page with a keyboard or a screen reader.

import { get, post } from "./api.js";
import { keepList, make } from "./dom.js";
import { say } from "./words.js";

const SETTLED = 350; // milliseconds without a new frame
const TOUCHABLE = new Set(["button", "checkbox", "radio-button", "radiobutton", "tab", "list-item", "listitem", "switch", "combobox"]);

const drawer = document.getElementById("elements-drawer");
const list = document.getElementById("elements");
let timer = 0;

drawer.addEventListener("toggle", () => refreshElements(0));

/** Asks for the elements once the screen has come to rest, and only while somebody looks at them. */
export function refreshElements(wait = SETTLED) {
  clearTimeout(timer);
  if (drawer.open) timer = setTimeout(show, wait);
}

async function show() {
  const answer = await get("/api/screen/elements");
  const seen = new Set();
  const elements = (answer?.elements ?? []).filter(({ role, label, enabled }) => {
    const wanted = label && enabled !== false && TOUCHABLE.has(String(role).toLowerCase()) && !seen.has(label);
    if (wanted) seen.add(label);
    return wanted;
  });
  const rows = elements.length ? elements : [{ nothing: say("elements_none") }];
  keepList(list, rows, ({ label, nothing }) => label ?? nothing, ({ label, checked, nothing }) => {
    if (nothing) return make("li", { class: "empty" }, nothing);
    const press = make("button", { type: "button", class: "choice", "data-focus": label, onclick: () => post("/api/touch", { label }) }, label);
    if (typeof checked === "boolean") press.setAttribute("aria-pressed", String(checked));
    return make("li", {}, press);
  });
}
