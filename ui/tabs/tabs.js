/* What the scripts of the tabs beside the chat share. Text is put into the page as text; HTML comes from the server. */
globalThis.Ibid = (() => {
  "use strict";

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const SVG = "http://www.w3.org/2000/svg";

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") element.textContent = value;
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  }

  const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
  const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

  async function fetched(path, body) {
    const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    let reply;
    try {
      reply = await fetch(path, options);
    } catch {
      throw new Error("The server does not answer; is it still running?");
    }
    const content = await reply.json().catch(() => ({}));
    if (!reply.ok) throw Object.assign(new Error(content.message || content.error?.message || `The server replied ${reply.status}.`), { status: reply.status });
    return content;
  }

  /* Calls `begin(root)` once for the element, whenever Gradio lays it out, and wires what is clicked in it. */
  function tab(selector, begin) {
    const look = () => {
      const root = one(selector);
      if (!root || root.dataset.ready) return;
      root.dataset.ready = "yes";
      const actions = begin(root) || {};
      root.addEventListener("click", (event) => {
        const control = event.target.closest?.("[data-act]");
        if (!control || !(control.dataset.act in actions)) return;
        event.preventDefault();
        Promise.resolve(actions[control.dataset.act](control, event)).catch((error) => failed(root, error.message));
      });
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", look); else look();
  }

  const says = (root, text) => { const place = one("[data-says]", root); if (place) place.textContent = text; };

  /* One clear line, at the foot of the tab, until it is read. */
  function failed(root, message) {
    all(".ibid-toast", root).forEach((old) => old.remove());
    const toast = make("div", { class: "ibid-toast", role: "alert" }, make("span", { text: message }));
    const close = make("button", { type: "button", class: "ibid-quiet", "aria-label": "Close", text: "×" });
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    root.append(toast);
  }

  const shown = (root) => root.offsetParent !== null;
  const failure = (message) => make("div", { class: "ibid-failure", role: "alert" }, make("span", { text: message }));
  const waiting = () => make("div", { class: "ibid-loading", role: "img", "aria-label": "Loading" }, make("i"), make("i"), make("i"));

  return { all, count, draw, failed, failure, fetched, make, one, says, shown, tab, waiting };
})();
