/* The chat's hands in the browser. HTML of answers comes from the server, escaped there; what is made here is made of
   text nodes. Controls name what they do in `data-do`, also those of other tabs: `only` narrows the chat to papers. */
(() => {
  "use strict";

  const WAIT_FOR_STOP_MS = 2000, POLL_MS = 4000, MOST_BARS = 60;
  const FIELD_NAMES = { year: "Year", author: "Author", venue: "Venue", category: "Category", tag: "Tag", source: "Source", paper: "Papers" };
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  let root = null; // #ibid-chat, once Gradio has laid it out
  let thread = null; // the conversation on the page
  let scope = { filters: {}, chips: [], papers: 0, total: 0 };
  let fields = [], examples = [], shownThreads = "";
  let opener = null, panelAsked = 0, floating = null;

  /* --- elements and requests --- */

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") element.textContent = value;
      else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  }

  const drawing = (name) => {
    const known = { close: "M6 6l12 12M18 6L6 18", more: "M5 12h.01M12 12h.01M19 12h.01" };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", known[name]);
    for (const [key, value] of Object.entries({ class: "ibid-icon", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": name === "more" ? "3" : "1.8", "stroke-linecap": "round", "aria-hidden": "true" })) svg.setAttribute(key, value);
    svg.append(path);
    return svg;
  };

  const told = (content, reply) => content.message || (content.error && content.error.message) || `The server replied ${reply.status}.`;

  async function fetched(path, body) {
    const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const reply = await fetch(`chat/${path}`, options);
    const content = await reply.json().catch(() => ({}));
    if (!reply.ok) throw Object.assign(new Error(told(content, reply)), { status: reply.status });
    return content;
  }

  const says = (text) => { if (text) one("#ibid-says").textContent = text; };
  const freshId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const narrow = () => matchMedia("(max-width: 720px)").matches;

  /* --- asking --- */

  const freshThread = (id = null) => ({ id, tail: Promise.resolve(), running: null, waiting: 0 });

  function submit(question, { at = null, instead = null } = {}) {
    question = question.trim();
    if (!question) return false;
    if (scope.total > 0 && scope.papers === 0) {
      says("No paper is in this scope; nothing was asked.");
      drawScope(true);
      return false;
    }
    const turn = make("article", { class: "ibid-turn", "data-state": "waiting" });
    turn.append(make("div", { class: "ibid-asked" }, make("h2", { class: "ibid-question", text: question })));
    turn.append(make("p", { class: "ibid-looking" }, make("span", { text: thread.waiting ? "Waiting for the answer before it" : "Looking through the abstracts" })));
    turn.dataset.question = question;
    if (at !== null) turn.dataset.at = at;
    const turns = one(".ibid-turns", root);
    if (instead) {
      while (instead.nextElementSibling) instead.nextElementSibling.remove();
      instead.remove();
    }
    turns.append(turn);
    one(".ibid-welcome", root).hidden = true;
    turn.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    const mine = thread;
    const filters = structuredClone(scope.filters);
    mine.waiting += 1;
    drawBusy();
    mine.tail = mine.tail.then(() => run(mine, turn, question, filters, at)).finally(() => { mine.waiting -= 1; drawBusy(); });
    return true;
  }

  async function run(mine, turn, question, filters, at) {
    if (turn.dataset.dropped) return turn.remove();
    const asked = freshId(), aborting = new AbortController();
    mine.running = { asked, aborting, turn };
    drawBusy();
    let state = "failed";
    try {
      const body = JSON.stringify({ asked, question, conversation: mine.id, filters, at });
      const reply = await fetch("chat/ask", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal: aborting.signal });
      if (!reply.ok) throw new Error(told(await reply.json().catch(() => ({})), reply));
      for await (const update of lines(reply.body)) {
        if (update.conversation !== undefined) begun(mine, update.conversation);
        else { state = update.state; draw(turn, update); }
      }
      if (!["finished", "refused", "failed", "stopped"].includes(state)) throw new Error("The answer broke off.");
    } catch (error) {
      state = aborting.signal.aborted ? "stopped" : "failed";
      drawFailure(turn, question, state, state === "stopped" ? "Stopped." : error.message);
    } finally {
      mine.running = null;
    }
    if (at !== null && (state === "failed" || state === "stopped") && mine === thread) await putBack(mine, turn);
    refresh();
  }

  async function* lines(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    for (;;) {
      const { value, done } = await reader.read();
      held += value || "";
      const whole = held.split("\n");
      held = whole.pop();
      for (const line of whole) if (line) yield JSON.parse(line);
      if (done) return;
    }
  }

  function begun(mine, conversation) {
    if (mine.id === conversation || conversation === null) return;
    mine.id = conversation;
    if (mine === thread) address(conversation, true);
  }

  function draw(turn, update) {
    const held = turn.contains(document.activeElement) ? document.activeElement : null;
    const again = held && held.dataset.claim ? `[data-claim="${held.dataset.claim}"]` : null;
    turn.innerHTML = update.html;
    turn.dataset.state = update.state;
    if (update.number !== null && update.number !== undefined) turn.dataset.number = update.number;
    if (again && one(again, turn)) one(again, turn).focus();
    says(update.says);
    if (update.state === "refused") offer(turn);
  }

  function drawFailure(turn, question, state, message) {
    turn.dataset.state = state;
    turn.replaceChildren(
      make("div", { class: "ibid-asked" }, make("h2", { class: "ibid-question", text: question })),
      make("div", { class: "ibid-failure", role: "alert" }, make("strong", { text: "No answer." }), make("span", { text: message }), make("button", { type: "button", class: "ibid-button", "data-do": "again", text: "Try again" })),
    );
  }

  /* A retry that came to nothing leaves the conversation as the server has it, with the attempt below. */
  async function putBack(mine, turn) {
    try {
      const opened = await fetched(`open?conversation=${encodeURIComponent(mine.id)}`);
      drawTurns(opened.turns);
      one(".ibid-turns", root).append(turn);
      turn.scrollIntoView({ block: "nearest" });
    } catch { /* the attempt's own message says what is wrong */ }
  }

  async function offer(turn) {
    const place = one(".ibid-instead", turn);
    if (!place || !place.dataset.record) return;
    if (one('.ibid-refusal[data-reason="filter_matched_nothing"]', turn)) {
      place.append(make("div", { class: "ibid-label", text: "Ask instead" }), make("button", { type: "button", "data-do": "unscoped", text: "The same question, of all papers" }));
      return;
    }
    const { questions } = await fetched(`instead?record=${encodeURIComponent(place.dataset.record)}`).catch(() => ({ questions: [] }));
    if (!questions.length || one("button", place)) return;
    place.append(make("div", { class: "ibid-label", text: "Ask instead" }));
    for (const question of questions) place.append(make("button", { type: "button", "data-do": "ask", "data-question": question, text: question }));
  }

  async function stop() {
    const running = thread.running;
    for (const turn of all('.ibid-turn[data-state="waiting"]', root)) if (!running || turn !== running.turn) turn.dataset.dropped = "yes", turn.remove();
    if (!running) return;
    setTimeout(() => { if (thread.running === running) running.aborting.abort(); }, WAIT_FOR_STOP_MS);
    await fetched("stop", { asked: running.asked }).catch(() => running.aborting.abort());
  }

  function drawBusy() {
    const busy = thread.waiting > 0;
    one(".ibid-stop", root).hidden = !busy;
    one(".ibid-send", root).hidden = busy;
    one(".ibid-turns", root).setAttribute("aria-busy", String(busy));
  }

  const questionOf = (turn) => turn.dataset.question || one(".ibid-question", turn).innerText;
  const placeOf = (turn) => { const place = turn.dataset.number ?? turn.dataset.at; return place === undefined ? null : Number(place); };

  function edit(turn) {
    const asked = one(".ibid-asked", turn);
    if (one(".ibid-editing", asked)) return;
    const before = [...asked.childNodes];
    const field = make("textarea", { rows: "2", "aria-label": "Edit the question", maxlength: one("#ibid-question").maxLength });
    field.value = questionOf(turn);
    const cancel = () => asked.replaceChildren(...before);
    const send = () => { if (field.value.trim()) submit(field.value, { at: placeOf(turn), instead: turn }); };
    const ask = make("button", { type: "button", class: "ibid-button ibid-strong", text: "Ask from here" });
    const keep = make("button", { type: "button", class: "ibid-button", text: "Cancel" });
    ask.addEventListener("click", send);
    keep.addEventListener("click", cancel);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
      if (event.key === "Escape") { event.stopPropagation(); cancel(); }
    });
    asked.replaceChildren(make("div", { class: "ibid-editing" }, field, make("div", {}, ask, keep)));
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  /* --- conversations --- */

  function address(conversation, instead = false) {
    const url = new URL(location.href);
    if (conversation) url.searchParams.set("conversation", conversation);
    else url.searchParams.delete("conversation");
    if (url.href !== location.href) history[instead ? "replaceState" : "pushState"]({}, "", url);
  }

  function drawTurns(turns) {
    const made = turns.map((html) => {
      const turn = make("article", { class: "ibid-turn", "data-state": "finished" });
      turn.innerHTML = html;
      const place = one(".ibid-asked", turn).dataset.number;
      if (place !== undefined) turn.dataset.number = place;
      return turn;
    });
    one(".ibid-turns", root).replaceChildren(...made);
    if (made.length && one(".ibid-instead", made.at(-1))) offer(made.at(-1));
  }

  function fresh({ remember = true } = {}) {
    thread = freshThread();
    one(".ibid-turns", root).replaceChildren();
    one(".ibid-welcome", root).hidden = false;
    one(".ibid-loading", root).hidden = true;
    closePanel();
    drawBusy();
    if (remember) address(null);
    drawThreads(shownThreads ? JSON.parse(shownThreads) : [], true);
    unveil();
    if (!narrow()) one("#ibid-question").focus();
  }

  async function open(conversation, { remember = true } = {}) {
    const mine = (thread = freshThread(conversation));
    one(".ibid-welcome", root).hidden = true;
    one(".ibid-turns", root).replaceChildren();
    one(".ibid-loading", root).hidden = false;
    closePanel();
    unveil();
    drawBusy();
    try {
      const opened = await fetched(`open?conversation=${encodeURIComponent(conversation)}`);
      if (thread !== mine) return;
      drawTurns(opened.turns);
      if (remember) address(conversation);
      await narrowTo(opened.filters);
      const last = one(".ibid-turns", root).lastElementChild;
      if (last) last.scrollIntoView({ block: "start" });
      says("Conversation opened.");
    } catch (error) {
      if (thread !== mine) return;
      if (error.status === 404) { fresh(); notice("That conversation is not in this library any more."); }
      else notice(error.message);
    } finally {
      if (thread === mine) one(".ibid-loading", root).hidden = true;
      drawThreads(shownThreads ? JSON.parse(shownThreads) : [], true);
    }
  }

  function notice(text) {
    const shown = make("div", { class: "ibid-failure ibid-notice", role: "alert" }, make("span", { text }));
    one(".ibid-column", root).prepend(shown);
    setTimeout(() => shown.remove(), 8000);
  }

  function drawThreads(conversations, forced = false) {
    const text = JSON.stringify(conversations);
    if (!forced && text === shownThreads) return;
    if (one(".ibid-threads input", root) || (floating && floating.element.classList.contains("ibid-menu"))) return; // somebody is at it
    shownThreads = text;
    const list = one(".ibid-threads", root);
    const made = [];
    for (const when of ["Today", "Yesterday", "Earlier"]) {
      const those = conversations.filter((conversation) => conversation.when === when);
      if (those.length) made.push(make("h2", { text: when }), make("ul", {}, ...those.map(drawThread)));
    }
    if (!made.length) made.push(make("p", { class: "ibid-empty", text: "Your conversations will be listed here." }));
    list.replaceChildren(...made);
  }

  function drawThread(conversation) {
    const url = new URL(location.href);
    url.searchParams.set("conversation", conversation.id);
    const current = conversation.id === thread.id;
    return make(
      "li", { class: current ? "ibid-current" : null, "data-conversation": conversation.id },
      make("a", { href: url.search, "data-do": "open", title: conversation.title, "aria-current": current ? "true" : null, text: conversation.title }),
      make("button", { type: "button", class: "ibid-quiet", "data-do": "menu", "aria-label": `Rename, export or delete: ${conversation.title}`, "aria-haspopup": "true", "aria-expanded": "false" }, drawing("more")),
    );
  }

  function menu(button) {
    const item = button.closest("li"), id = item.dataset.conversation;
    const entry = (text, chosenEntry, kind) => {
      const made = make("button", { type: "button", role: "menuitem", class: kind || null, text });
      made.addEventListener("click", (event) => { event.stopPropagation(); sink(); chosenEntry(); });
      return made;
    };
    const file = (text, form) => {
      const made = make("a", { role: "menuitem", href: `chat/export?conversation=${encodeURIComponent(id)}&form=${form}`, download: true, text });
      made.addEventListener("click", () => setTimeout(sink));
      return made;
    };
    const link = new URL(location.href);
    link.searchParams.set("conversation", id);
    float(button, make(
      "div", { class: "ibid-menu", role: "menu", "aria-label": "Conversation" },
      entry("Rename", () => rename(item)), entry("Copy link", () => copied(link.href, button)), make("hr"),
      file("Export as Markdown", "markdown"), file("Export as Word document", "docx"), file("Export as web page", "html"), file("Export as JSON", "json"),
      file("Export references as BibTeX", "bibtex"), make("hr"),
      entry("Delete …", () => confirmDelete(item), "ibid-danger"),
    ));
  }

  function rename(item) {
    const link = one("a", item), before = link.textContent;
    const field = make("input", { "aria-label": "New name", maxlength: "200" });
    field.value = before;
    let over = false;
    const end = async (keep) => {
      if (over) return;
      over = true;
      const title = field.value.trim();
      if (keep && title && title !== before) {
        await fetched("rename", { conversation: item.dataset.conversation, title }).catch((error) => notice(error.message));
      }
      field.replaceWith(link);
      shownThreads = "";
      refresh();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") { event.stopPropagation(); end(false); }
    });
    field.addEventListener("blur", () => end(true));
    link.replaceWith(field);
    field.focus();
    field.select();
  }

  function confirmDelete(item) {
    const keep = make("button", { type: "button", role: "menuitem", text: "Keep it" });
    const gone = make("button", { type: "button", role: "menuitem", class: "ibid-danger", text: "Delete it and its answers" });
    keep.addEventListener("click", sink);
    gone.addEventListener("click", async () => {
      sink();
      await fetched("delete", { conversation: item.dataset.conversation }).catch((error) => notice(error.message));
      if (item.dataset.conversation === thread.id) fresh();
      shownThreads = "";
      refresh();
    });
    float(one('[data-do="menu"]', item), make("div", { class: "ibid-menu", role: "menu", "aria-label": "Delete this conversation?" }, gone, keep));
  }

  /* What an open page keeps up with: papers that another program adds, conversations, a server that went away. */
  async function refresh() {
    try {
      const now = await fetched("state");
      one(".ibid-away", root).hidden = true;
      drawThreads(now.conversations);
      const changed = now.papers !== scope.total;
      drawPapers(now.papers);
      if (changed) { await narrowTo(scope.filters); await start(); }
    } catch (error) {
      one(".ibid-away", root).hidden = Boolean(error.status);
    }
  }

  function drawPapers(papers) {
    const place = one(".ibid-papers");
    if (place) place.textContent = `${papers.toLocaleString("en")} ${papers === 1 ? "paper" : "papers"}`;
  }

  async function start() {
    const begin = await fetched("start");
    fields = begin.fields;
    examples = begin.examples;
    drawPapers(begin.papers);
    const place = one(".ibid-examples", root);
    if (begin.papers === 0) {
      place.replaceChildren(make("p", {}, "This library holds no papers yet. Add some with ", make("code", { text: "ibid add FILE" }), "; they show up here within seconds."));
    } else {
      place.replaceChildren(...examples.map((question) => make("button", { type: "button", "data-do": "ask", "data-question": question, text: question })));
    }
    drawScope();
  }

  /* --- scope --- */

  async function narrowTo(filters) {
    try {
      scope = await fetched("scope", { filters });
    } catch (error) {
      notice(error.message);
    }
    drawScope();
  }

  function drawScope(loud = false) {
    const bar = one(".ibid-scope", root);
    const narrowed = scope.chips.length > 0 || Object.keys(scope.filters).length > 0;
    bar.hidden = scope.total === 0;
    const number = (count) => count.toLocaleString("en");
    const count = make("span", { class: scope.papers ? "ibid-count" : "ibid-count ibid-none", role: loud ? "alert" : "status" });
    if (!narrowed) count.append(`All ${number(scope.total)} ${scope.total === 1 ? "paper" : "papers"}`);
    else if (!scope.papers) count.append("No paper is in this scope, so nothing can be asked.");
    else count.append(make("strong", { text: number(scope.papers) }), ` of ${number(scope.total)} papers`);
    const chips = scope.chips.map((chip) => make(
      "span", { class: "ibid-chip" }, make("span", { title: chip.label, text: chip.label }),
      make("button", { type: "button", "data-do": "unchip", "data-field": chip.field, "data-value": chip.value, "aria-label": `Remove ${chip.label}` }, drawing("close")),
    ));
    const add = fields.map((field) => make("button", { type: "button", class: "ibid-field", "data-do": "facet", "data-field": field, "aria-haspopup": "dialog", "aria-expanded": "false", text: FIELD_NAMES[field] }));
    const clear = narrowed ? [make("button", { type: "button", class: "ibid-clear", "data-do": "clear", text: "Clear" })] : [];
    const open = floating && floating.button.dataset.field;
    bar.replaceChildren(count, ...chips, ...add, ...clear);
    if (open) { floating.button = one(`[data-do="facet"][data-field="${open}"]`, bar) || floating.button; floating.button.setAttribute("aria-expanded", "true"); place(floating.element, floating.button); }
  }

  const keyOf = (field) => (field === "paper" ? "ids" : field);

  function chosen(field) {
    return new Set(scope.filters[keyOf(field)] || []);
  }

  function choose(field, value, on) {
    const filters = structuredClone(scope.filters), values = chosen(field);
    if (on) values.add(value); else values.delete(value);
    if (values.size) filters[keyOf(field)] = [...values]; else delete filters[keyOf(field)];
    return narrowTo(filters);
  }

  async function facet(button) {
    const field = button.dataset.field;
    const popover = make("div", { class: "ibid-popover", role: "dialog", "aria-label": FIELD_NAMES[field] });
    float(button, popover);
    if (field === "year") return years(popover);
    const search = make("input", { type: "search", placeholder: `Find ${field === "paper" ? "a title" : `a ${field}`}`, "aria-label": `Find ${field}` });
    const list = make("ul");
    popover.append(search, list);
    let latest = 0;
    const look = async () => {
      const mine = ++latest;
      const found = await fetched(`facets?field=${field}&containing=${encodeURIComponent(search.value)}`).catch(() => []);
      if (mine !== latest) return;
      const marked = chosen(field);
      list.replaceChildren(...found.map((one) => {
        const box = make("input", { type: "checkbox" });
        box.checked = marked.has(one.value);
        box.addEventListener("change", () => choose(field, one.value, box.checked));
        return make("li", {}, make("label", {}, box, make("span", { text: one.label }), field === "paper" ? null : make("small", { text: one.papers })));
      }));
      if (!found.length) list.append(make("li", { class: "ibid-empty", text: "Nothing here by that name." }));
      place(popover, floating && floating.button);
    };
    search.addEventListener("input", look);
    search.focus();
    await look();
  }

  async function years(popover) {
    const known = (await fetched("facets?field=year").catch(() => [])).map((year) => ({ year: Number(year.value), papers: year.papers }));
    if (!known.length) return;
    const first = known[0].year, last = known.at(-1).year, most = Math.max(...known.map((year) => year.papers));
    const papers = new Map(known.map((year) => [year.year, year.papers]));
    const found = last - first > MOST_BARS ? known : Array.from({ length: last - first + 1 }, (_, index) => ({ year: first + index, papers: papers.get(first + index) || 0 }));
    const held = scope.filters.year || [null, null];
    const from = make("input", { type: "number", "aria-label": "From year", placeholder: first, min: "1000", max: "2999" });
    const to = make("input", { type: "number", "aria-label": "To year", placeholder: last, min: "1000", max: "2999" });
    from.value = held[0] ?? "";
    to.value = held[1] ?? "";
    const bars = found.map((year) => {
      const bar = make("button", { type: "button", title: `${year.year}: ${year.papers}`, "aria-label": `${year.year}, ${year.papers} papers`, style: `height:${year.papers ? Math.max(10, (100 * year.papers) / most) : 3}%` });
      bar.addEventListener("click", () => { from.value = to.value = year.year; apply(); });
      return bar;
    });
    const draw = () => found.forEach((year, index) => bars[index].classList.toggle("ibid-in", (!from.value || year.year >= Number(from.value)) && (!to.value || year.year <= Number(to.value))));
    const apply = () => {
      const whole = (field) => (/^\d{4}$/.test(field.value) ? Number(field.value) : null);
      const filters = structuredClone(scope.filters), pair = [whole(from), whole(to)];
      if (pair[0] !== null && pair[1] !== null && pair[0] > pair[1]) pair.reverse();
      if (pair[0] === null && pair[1] === null) delete filters.year; else filters.year = pair;
      draw();
      narrowTo(filters);
    };
    from.addEventListener("change", apply);
    to.addEventListener("change", apply);
    draw();
    popover.append(make("div", { class: "ibid-years" }, ...bars), make("div", { class: "ibid-between" }, from, make("span", { text: "to" }), to));
    place(popover, floating && floating.button);
    from.focus();
  }

  /* --- what floats over the page --- */

  function float(button, element) {
    sink();
    root.append(element);
    floating = { button, element };
    button.setAttribute("aria-expanded", "true");
    place(element, button);
    const entry = one("button, a, input", element);
    if (entry && element.classList.contains("ibid-menu")) entry.focus();
  }

  function place(element, button) {
    if (!button || !button.isConnected) return;
    const at = button.getBoundingClientRect(), top = (button.closest(".ibid-scope") || button).getBoundingClientRect().top, size = element.getBoundingClientRect();
    const above = at.bottom + size.height + 12 > innerHeight && top > size.height;
    element.style.top = `${above ? top - size.height - 6 : Math.max(8, Math.min(at.bottom + 6, innerHeight - size.height - 8))}px`;
    element.style.left = `${Math.max(12, Math.min(at.left, innerWidth - size.width - 12))}px`;
  }

  function sink(refocus = false) {
    if (!floating) return false;
    const { button, element } = floating;
    floating = null;
    element.remove();
    if (button.isConnected) { button.setAttribute("aria-expanded", "false"); if (refocus) button.focus(); }
    return true;
  }

  function unveil() {
    root.classList.remove("ibid-sided");
  }

  function tip(target) {
    const shown = one("#ibid-tip");
    if (!target) { shown.hidden = true; return; }
    shown.textContent = target.dataset.says;
    shown.hidden = false;
    const at = target.getClientRects()[0], size = shown.getBoundingClientRect();
    shown.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
    shown.style.top = `${at.top - size.height - 7 < 4 ? at.bottom + 7 : at.top - size.height - 7}px`;
  }

  /* --- the source --- */

  async function openPanel(control) {
    const { record, claim, key, paper, start: first, end } = control.dataset;
    const asked = new URLSearchParams();
    if (control.dataset.do === "claim") {
      asked.set("record", record);
      if (claim !== undefined) asked.set("claim", claim);
      if (key !== undefined) asked.set("key", key);
    } else {
      asked.set("paper", paper);
      if (first !== undefined) { asked.set("start", first); asked.set("end", end); }
    }
    const mine = ++panelAsked;
    const panel = one("#ibid-panel"), body = one(".ibid-panel-body", panel);
    if (!panel.contains(control)) opener = control;
    activate(opener);
    let content;
    try {
      content = await fetched(`${control.dataset.do === "claim" ? "source" : "paper"}?${asked}`);
    } catch (error) {
      content = null;
      if (mine === panelAsked) body.replaceChildren(make("div", { class: "ibid-failure", role: "alert" }, make("span", { text: error.message })));
    }
    if (mine !== panelAsked) return;
    if (content) body.innerHTML = content.html;
    const judged = one(".ibid-judged", body); // stays in sight above what scrolls
    one(".ibid-bar > span", panel).replaceChildren(judged || "Source");
    const steps = opener && opener.matches('.ibid-said, .ibid-marker[data-claim]');
    for (const step of all('[data-do="previous"], [data-do="next"]', panel)) step.hidden = !steps;
    const opening = panel.hidden;
    panel.hidden = false;
    const mark = one("mark.ibid-here", body);
    body.scrollTop = mark ? depth(mark, body) : 0;
    if (opening && narrow()) one('[data-do="close"]', panel).focus({ preventScroll: true });
    if (opener && opener.isConnected) keepInSight(opener);
    const title = one("h3", body);
    says(`Source shown${title ? `: ${title.textContent}` : ""}`);
  }

  /* How far to scroll for the mark to be seen whole, and no further: what was found about it stands above. */
  function depth(mark, body) {
    const box = body.getBoundingClientRect(), rects = [...mark.getClientRects()];
    const top = rects[0].top - box.top + body.scrollTop, bottom = rects.at(-1).bottom - box.top + body.scrollTop;
    return Math.max(0, Math.min(top - 16, bottom - body.clientHeight + 56));
  }

  /* The sentence stays visible beside the panel, or above it on a phone. */
  function keepInSight(element) {
    const scroller = one(".ibid-scroll", root);
    if (!scroller.contains(element)) return;
    const panel = one("#ibid-panel"), at = element.getBoundingClientRect(), box = scroller.getBoundingClientRect();
    const bottom = narrow() && !panel.hidden ? panel.getBoundingClientRect().top : box.bottom;
    if (at.top < box.top + 8) scroller.scrollTop -= box.top + 24 - at.top;
    else if (at.bottom > bottom - 8) scroller.scrollTop += Math.min(at.bottom - bottom + 24, at.top - box.top - 24);
  }

  function activate(control) {
    for (const active of all(".ibid-active", root)) active.classList.remove("ibid-active");
    const claim = control && control.closest(".ibid-claim");
    if (claim) claim.classList.add("ibid-active");
  }

  function closePanel() {
    const panel = one("#ibid-panel");
    if (panel.hidden) return false;
    panelAsked += 1;
    const inside = panel.contains(document.activeElement) || document.activeElement === document.body;
    panel.hidden = true;
    activate(null);
    if (inside && opener && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
    return true;
  }

  function step(by) {
    const claims = all('.ibid-said[role="button"]', root);
    if (!claims.length) return;
    const from = document.activeElement.closest?.(".ibid-claim") || (opener && opener.closest(".ibid-claim"));
    const at = claims.findIndex((claim) => from && from.contains(claim));
    const next = at < 0 ? claims.length - 1 : Math.max(0, Math.min(claims.length - 1, at + by));
    claims[next].focus({ preventScroll: true });
    keepInSight(claims[next]);
    if (!one("#ibid-panel").hidden) openPanel(claims[next]);
  }

  /* --- copying and a reader's word --- */

  async function copied(text, control) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // on an address that is no secure context
      const field = make("textarea", { style: "position:fixed;opacity:0" });
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    says("Copied.");
    const tools = control.closest(".ibid-tools, .ibid-actions");
    if (tools) done(tools, "Copied");
  }

  function done(tools, text) {
    all(".ibid-done", tools).forEach((old) => old.remove());
    const shown = make("span", { class: "ibid-done", text });
    tools.append(shown);
    setTimeout(() => shown.remove(), 2500);
  }

  async function rate(control, rating) {
    const tools = control.closest(".ibid-tools"), record = tools.dataset.record;
    const taken = control.getAttribute("aria-pressed") === "true";
    await fetched("feedback", { record, rating: taken ? 0 : rating });
    for (const thumb of all("[aria-pressed]", tools)) thumb.setAttribute("aria-pressed", String(!taken && thumb === control));
    all(".ibid-why", tools).forEach((old) => old.remove());
    if (taken) return;
    const field = make("input", { "aria-label": "Reason, if you like", placeholder: rating > 0 ? "What was good? (optional)" : "What was wrong? (optional)", maxlength: "2000" });
    const form = make("form", { class: "ibid-why" }, field, make("button", { type: "submit", class: "ibid-button", text: "Save" }));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (field.value.trim()) await fetched("feedback", { record, rating, comment: field.value });
      form.remove();
      done(tools, "Thank you, noted");
    });
    tools.append(form);
    says("Noted. You may add a reason.");
  }

  /* --- controls and keys --- */

  const actions = {
    again: (control) => { const turn = control.closest(".ibid-turn"); submit(questionOf(turn), { at: placeOf(turn), instead: turn }); },
    ask: (control) => submit(control.dataset.question),
    bad: (control) => rate(control, -1),
    claim: openPanel,
    clear: () => narrowTo({}),
    close: closePanel,
    copy: (control) => copied(one("template", control.closest(".ibid-tools")).content.textContent, control),
    "copy-text": (control) => copied(control.dataset.text, control),
    edit: (control) => edit(control.closest(".ibid-turn")),
    facet: (control) => (floating && floating.button === control ? sink() : facet(control)),
    good: (control) => rate(control, 1),
    menu: (control) => (floating && floating.button === control ? sink() : menu(control)),
    new: () => fresh(),
    next: () => step(1),
    only: async (control) => {
      await narrowTo({ ids: control.dataset.paper.split("\n") });
      showChat();
      if (narrow()) closePanel();
      one("#ibid-question").focus();
    },
    open: (control) => open(new URL(control.href).searchParams.get("conversation")),
    paper: openPanel,
    previous: () => step(-1),
    side: () => root.classList.toggle("ibid-sided"),
    stop,
    unchip: (control) => {
      if (control.dataset.field !== "year") return choose(control.dataset.field === "ids" ? "paper" : control.dataset.field, control.dataset.value, false);
      const filters = structuredClone(scope.filters);
      delete filters.year;
      return narrowTo(filters);
    },
    unscoped: async (control) => {
      const turn = control.closest(".ibid-turn");
      await narrowTo({});
      submit(questionOf(turn), { at: placeOf(turn), instead: turn });
    },
    unveil,
  };

  function showChat() {
    const tab = all('#ibid-tabs button[role="tab"]').find((button) => button.textContent.trim() === "Chat");
    if (tab) tab.click();
  }

  function act(event) {
    const control = event.target.closest?.("[data-do]");
    if (floating && !floating.element.contains(event.target) && !(control && control === floating.button) && !event.target.closest?.(".ibid-scope")) sink();
    if (!control || !root || !(control.dataset.do in actions)) return;
    if (control.tagName === "A" && (event.ctrlKey || event.metaKey || event.shiftKey || event.button)) return; // a new tab of the browser
    if (control.matches(".ibid-said") && !getSelection().isCollapsed) return; // words were selected, not clicked
    event.preventDefault();
    Promise.resolve(actions[control.dataset.do](control)).catch((error) => notice(error.message));
  }

  function key(event) {
    if (!root || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target, writing = target.matches?.("input, textarea, select, [contenteditable]");
    const field = one("#ibid-question");
    if (event.key === "Escape") {
      if (sink(true) || closePanel()) event.preventDefault();
      else if (root.classList.contains("ibid-sided")) unveil();
      tip(null);
    } else if (target === field) {
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); send(); }
      else if (event.key === "ArrowUp" && !field.value && one('.ibid-said[role="button"]', root)) { event.preventDefault(); step(0); }
    } else if (writing) {
      return;
    } else if (event.key === "/" && root.offsetParent !== null) {
      event.preventDefault();
      field.focus();
    } else if ((event.key === "Enter" || event.key === " ") && target.matches?.('.ibid-claim [role="button"]')) {
      event.preventDefault();
      openPanel(target);
    } else if (floating && floating.element.contains(target) && event.key.startsWith("Arrow")) {
      event.preventDefault();
      const entries = all("button, a", floating.element);
      const by = event.key === "ArrowDown" || event.key === "ArrowRight" ? 1 : -1;
      entries[(entries.indexOf(target) + by + entries.length) % entries.length].focus();
    } else if (event.key.startsWith("Arrow") && (target.closest?.(".ibid-claim") || (opener && opener.matches(".ibid-said, .ibid-marker") && one("#ibid-panel").contains(target)))) {
      event.preventDefault();
      step(event.key === "ArrowDown" || event.key === "ArrowRight" ? 1 : -1);
    }
  }

  function send() {
    const field = one("#ibid-question");
    if (submit(field.value)) { field.value = ""; grow(field); }
  }

  function grow(field) {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }

  function ready(found) {
    root = found;
    root.dataset.ready = "yes";
    thread = freshThread();
    const field = one("#ibid-question");
    field.addEventListener("input", () => grow(field));
    one(".ibid-form", root).addEventListener("submit", (event) => { event.preventDefault(); send(); });
    one(".ibid-scroll", root).addEventListener("scroll", () => { tip(null); if (floating) sink(); }, { passive: true });
    const pointed = (event) => tip(event.target.closest?.(".ibid-turns .ibid-said") || null);
    root.addEventListener("mouseover", pointed);
    root.addEventListener("focusin", pointed);
    const conversation = new URLSearchParams(location.search).get("conversation");
    start().then(() => refresh()).catch(() => { one(".ibid-away", root).hidden = false; });
    narrowTo({});
    if (conversation) open(conversation, { remember: false });
    else fresh({ remember: false });
  }

  function watch() {
    const look = () => { const found = one("#ibid-chat"); if (found && !found.dataset.ready) ready(found); };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    look();
    document.addEventListener("click", act);
    document.addEventListener("keydown", key);
    addEventListener("resize", () => floating && place(floating.element, floating.button));
    addEventListener("popstate", () => {
      if (!root) return;
      const conversation = new URLSearchParams(location.search).get("conversation");
      if (conversation) open(conversation, { remember: false }); else fresh({ remember: false });
    });
    setInterval(() => { if (root && !document.hidden) refresh(); }, POLL_MS);
  }

  watch();
})();
