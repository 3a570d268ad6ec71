// Small help for building and keeping lists of elements.

/** An element with attributes, listeners (`onclick`) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets text only where it changed, so that nothing is announced twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows a list without rebuilding what stayed: `key(item)` names a row, `draw(item)` makes one. A row is
 * made anew only when its item changed; a row that was not there before gets the class `fresh`.
 */
export function keepList(parent, items, key, draw) {
  const old = new Map([...parent.children].map((row) => [row.dataset.key, row]));
  const first = parent.dataset.filled === undefined;
  const rows = items.map((item) => {
    const name = String(key(item));
    const content = JSON.stringify(item) + document.documentElement.lang;
    const before = old.get(name);
    if (before?.dataset.content === content) return before;
    const row = draw(item);
    row.dataset.key = name;
    row.dataset.content = content;
    if (!before && !first) row.classList.add("fresh");
    else if (before && before.dataset.state !== row.dataset.state) row.classList.add("changed");
    return row;
  });
  if (items.length) parent.dataset.filled = "";
  const kept = document.activeElement?.closest?.("[data-focus]")?.dataset.focus;
  if (rows.length !== parent.children.length || rows.some((row, at) => parent.children[at] !== row)) {
    parent.replaceChildren(...rows);
    // A redrawn row keeps the keyboard where it was.
    if (kept) parent.querySelector(`[data-focus="${CSS.escape(kept)}"]`)?.focus();
  }
}
