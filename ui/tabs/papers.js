/* The Papers tab: a page of the table at a time, the map, a paper, adding and removing. */
(() => {
  "use strict";

  const { all, count, draw, failed, failure, fetched, make, one, says, shown, tab } = Ibid;
  const PAGE = 50, NEAREST = 12, TITLED = 14, POLL_MS = 4000, WORK_MS = 350, TYPING_MS = 220;

  tab("#ibid-shelf", (root) => {
    const wanted = { search: "", order: "added", descending: true, group: null, offset: 0 };
    const picked = new Map(); // id: title
    const view = { x: 0.5, y: 0.5, near: 1 }; // the middle of what is seen of the map, and how near
    let drawing = 0, dragged = false;
    let known = { stamp: "", papers: 0, work: null }, atlas = null, asked = 0, current = null, opener = null, removing = [], seen = 0, typing = null;
    const body = one("tbody", root), find = one("#ibid-find", root), scroller = one(".ibid-scroller", root);

    /* --- the table --- */

    async function load({ keep = false } = {}) {
      const mine = ++asked;
      if (!keep) body.setAttribute("aria-busy", "true");
      const query = new URLSearchParams({ search: wanted.search, order: wanted.order, descending: wanted.descending, offset: wanted.offset, limit: PAGE });
      if (wanted.group !== null) query.set("group", wanted.group);
      try {
        const page = await fetched(`papers/page?${query}`);
        if (mine !== asked) return;
        if (!page.count && page.total) { wanted.offset = Math.max(0, Math.floor((page.total - 1) / PAGE) * PAGE); return load({ keep }); }
        body.innerHTML = page.html;
        drawRange(page);
        blank(page.total);
        for (const column of ["who", "year", "venue"]) one(".ibid-table", root).classList.toggle(`ibid-no-${column}`, !all(`.ibid-${column}`, body).some((cell) => cell.textContent));
        for (const box of all(".ibid-pick input", body)) box.checked = picked.has(box.dataset.paper);
        mark();
        if (!keep) { scroller.scrollTop = 0; says(root, count(page.total, "paper")); }
      } catch (error) {
        if (mine !== asked) return;
        body.replaceChildren();
        one("[data-blank]", root).hidden = false;
        one("[data-blank]", root).replaceChildren(failure(error.message));
      } finally {
        if (mine === asked) body.removeAttribute("aria-busy");
      }
      drawNarrowed();
      drawOrder();
    }

    function drawRange(page) {
      const last = page.offset + page.count;
      one("[data-range]", root).textContent = page.total ? `${(page.offset + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${page.total.toLocaleString("en")}` : "";
      one('[data-act="back"]', root).disabled = page.offset === 0;
      one('[data-act="on"]', root).disabled = last >= page.total;
      one("[data-pager]", root).hidden = page.total === 0;
    }

    function blank(total) {
      const place = one("[data-blank]", root);
      place.hidden = total > 0;
      one(".ibid-table", root).hidden = total === 0;
      if (total) return;
      const clear = make("button", { type: "button", class: "ibid-button", "data-act": "all", text: "Show all papers" });
      const add = make("button", { type: "button", class: "ibid-button ibid-strong", "data-act": "add", text: "Add papers" });
      if (wanted.search || wanted.group !== null) place.replaceChildren(make("h3", { text: "No paper matches" }), make("p", { text: "Every word must be somewhere in its title, authors, venue, year, abstract, tags, note or cite key." }), clear);
      else place.replaceChildren(make("h3", { text: "This library is empty" }), make("p", { text: "Add a BibTeX file, an export of your reference manager, or text copied from a page of papers." }), add);
    }

    function drawNarrowed() {
      const place = one("[data-narrowed]", root);
      const parts = [];
      if (wanted.group !== null && atlas) parts.push(make("span", { class: "ibid-chip", style: `--hue:${atlas.groups[wanted.group].hue}` }, make("span", { text: atlas.groups[wanted.group].label }), make("button", { type: "button", "data-act": "ungroup", "aria-label": "Show all groups", text: "×" })));
      if (picked.size) parts.push(
        make("strong", { text: `${picked.size} picked` }),
        make("button", { type: "button", class: "ibid-button", "data-do": "only", "data-paper": [...picked.keys()].join("\n"), text: picked.size === 1 ? "Ask this paper" : "Ask these papers" }),
        known.read_only ? null : make("button", { type: "button", class: "ibid-button ibid-danger", "data-act": "remove", text: "Remove" }),
        make("button", { type: "button", class: "ibid-clear", "data-act": "unpick", text: "Clear" }));
      place.replaceChildren(...parts.filter(Boolean));
      const boxes = all(".ibid-pick input", body), every = one("[data-all]", root);
      every.checked = boxes.length > 0 && boxes.every((box) => box.checked);
      every.indeterminate = !every.checked && boxes.some((box) => box.checked);
    }

    function drawOrder() {
      for (const head of all("th[data-order]", root)) {
        const mine = head.dataset.order === wanted.order;
        if (mine) head.setAttribute("aria-sort", wanted.descending ? "descending" : "ascending"); else head.removeAttribute("aria-sort");
      }
      const value = wanted.order + (wanted.descending ? "-" : ""), orders = one("[data-orders]", root);
      orders.value = [...orders.options].some((option) => option.value === value) ? value : wanted.order;
    }

    function narrow(changes) {
      Object.assign(wanted, { offset: 0 }, changes);
      return load();
    }

    function choose(group) {
      drawChosen(group);
      return narrow({ group });
    }

    function mark() {
      for (const row of all("tr", body)) row.classList.toggle("ibid-current", row.dataset.paper === current);
      for (const point of all(".ibid-point", root)) point.classList.toggle("ibid-here", point.dataset.paper === current);
    }

    /* --- what is beside the table --- */

    function show(pane) {
      root.dataset.pane = pane;
      for (const element of all(".ibid-pane", root)) element.hidden = element.dataset.is !== pane;
      if (pane !== "map") one(`.ibid-pane[data-is="${pane}"]`, root).focus({ preventScroll: true });
      else drawMap();
    }

    function close() {
      if (root.dataset.pane === "map") return false;
      current = null;
      mark();
      show("map");
      if (opener && opener.isConnected) opener.focus({ preventScroll: true });
      opener = null;
      return true;
    }

    /* The paper's own part of the pane; what is folded out stays so when it is drawn again. */
    function drawPaper(place, html) {
      const facts = one(".ibid-facts", place)?.open, passages = one(".ibid-passages", place)?.open, similar = one(".ibid-similar", place);
      place.innerHTML = html;
      if (facts) one(".ibid-facts", place).open = true;
      if (passages && one(".ibid-passages", place)) one(".ibid-passages", place).open = true;
      return similar;
    }

    /* --- the reader's own word on a paper --- */

    async function correct(change, focus) {
      const place = one("[data-one]", root), paper = current, top = place.parentElement.scrollTop;
      const content = await fetched("papers/edit", { paper, ...change });
      if (current !== paper) return;
      const similar = drawPaper(place, content.html);
      if (similar) one(".ibid-similar", place).replaceWith(similar);
      place.parentElement.scrollTop = top;
      one(focus, place)?.focus({ preventScroll: true });
      load({ keep: true });
    }

    function correcting(control) {
      const value = control.parentElement, field = value.dataset.field, before = [...value.childNodes];
      const long = field === "authors" || field === "title";
      const input = make(long ? "textarea" : "input", { "aria-label": control.getAttribute("aria-label"), rows: long ? "2" : null, autocomplete: "off", inputmode: field === "year" ? "numeric" : null });
      input.value = value.dataset.value;
      const form = make("form", { class: "ibid-correcting" }, input, field === "authors" ? make("small", { class: "ibid-soft", text: "Semicolons between names." }) : null);
      const wrong = make("p", { class: "ibid-wrong", role: "alert", hidden: true });
      const keep = make("button", { type: "button", class: "ibid-button", text: "Cancel" });
      const back = value.dataset.mine ? make("button", { type: "button", class: "ibid-button", text: "As the sources say" }) : null;
      const again = `[data-act="correct"][data-field="${field}"]`;
      const cancel = () => { value.replaceChildren(...before); one(again, value).focus(); };
      const send = (change) => correct({ field, ...change }, again).catch((error) => { wrong.textContent = error.message; wrong.hidden = false; });
      form.append(make("div", {}, make("button", { type: "submit", class: "ibid-button ibid-strong", text: "Save" }), keep, ...(back ? [back] : [])), wrong);
      form.addEventListener("submit", (event) => { event.preventDefault(); send({ text: input.value }); });
      form.addEventListener("keydown", (event) => {
        if (event.key === "Escape") { event.stopPropagation(); cancel(); }
        else if (event.key === "Enter" && event.target === input && !event.shiftKey && !event.isComposing) { event.preventDefault(); send({ text: input.value }); }
      });
      keep.addEventListener("click", cancel);
      back?.addEventListener("click", () => send({ back: true }));
      value.replaceChildren(form);
      input.focus();
      input.select();
    }

    async function knownTags() {
      const list = one("#ibid-known-tags", root);
      const found = await fetched("chat/facets?field=tag").catch(() => []);
      list.replaceChildren(...found.map((tag) => make("option", { value: tag.label })));
    }

    async function open(control) {
      const paper = control.dataset.paper;
      if (body.contains(control) || one("[data-chart]", root).contains(control)) opener = control;
      current = paper;
      mark();
      const place = one("[data-one]", root);
      try {
        const content = await fetched(`papers/one?${new URLSearchParams({ paper })}`);
        if (current !== paper) return;
        place.innerHTML = content.html;
        place.parentElement.scrollTop = 0;
        show("paper");
        says(root, one("h3", place).textContent);
      } catch (error) {
        place.replaceChildren(failure(error.message));
        return show("paper");
      }
      if (one("[data-tagging]", place)) knownTags();
      const similar = one(".ibid-similar", place);
      try {
        const near = await fetched(`papers/similar?${new URLSearchParams({ paper })}`);
        const made = make("div");
        made.innerHTML = near.html;
        one("p", similar)?.replaceWith(...made.childNodes);
      } catch (error) {
        one("p", similar).textContent = error.message;
      }
    }

    /* --- the map --- */

    async function loadMap() {
      const chart = one("[data-chart]", root);
      if (known.papers < 3) { atlas = null; chart.replaceChildren(make("p", { class: "ibid-soft", text: "Three papers make a map." })); one("[data-groups]", root).replaceChildren(); return; }
      if (!atlas) chart.replaceChildren(make("p", { class: "ibid-looking" }, make("span", { text: "Drawing the map" })));
      try {
        let found = await fetched("papers/map");
        while (found.state === "making") {
          await new Promise((done) => setTimeout(done, 400));
          if (!shown(root)) return;
          found = await fetched("papers/map");
        }
        if (found.state !== "ready") return;
        const same = atlas && atlas.groups.map((group) => group.label).join("\n") === found.groups.map((group) => group.label).join("\n");
        atlas = found;
        if (!same) wanted.group = null;
        drawGroups();
        drawMap();
        load({ keep: true }); // rows take the colours of their groups
      } catch (error) {
        chart.replaceChildren(failure(error.message));
      }
    }

    function drawGroups() {
      const list = make("ul", { "aria-label": "Groups of papers" });
      atlas.groups.forEach((group, number) => {
        const button = make("button", { type: "button", "data-act": "group", "data-group": number, "aria-pressed": "false", style: `--hue:${group.hue}` }, make("i", { class: "ibid-dot" }), make("span", { text: group.label }), make("small", { text: group.papers.toLocaleString("en") }));
        list.append(make("li", {}, button));
      });
      const sampled = atlas.points.length < atlas.papers ? `, ${atlas.points.length.toLocaleString("en")} of them drawn` : "";
      one("[data-groups]", root).replaceChildren(make("p", { class: "ibid-soft", text: `${count(atlas.papers, "paper")}${sampled}; near each other is alike. Pick a group to see its papers.` }), list);
    }

    function drawMap() {
      const chart = one("[data-chart]", root);
      if (!atlas || !atlas.points || chart.offsetParent === null) return;
      const width = chart.clientWidth, height = chart.clientHeight;
      if (!width || !height) return;
      const radius = (atlas.points.length < 150 ? 6 : atlas.points.length < 800 ? 4 : 2.6) * Math.min(1.5, view.near ** 0.25), edge = 14;
      const x = (point) => width / 2 + (point.x - view.x) * view.near * (width - 2 * edge), y = (point) => height / 2 - (point.y - view.y) * view.near * (height - 2 * edge);
      const points = draw("g");
      for (const point of atlas.points) {
        const circle = draw("circle", { class: "ibid-point", cx: x(point).toFixed(1), cy: y(point).toFixed(1), r: radius, style: `--hue:${atlas.groups[point.group].hue}`, "data-act": "open", "data-paper": point.paper, "data-group": point.group });
        circle.dataset.title = point.title + (point.year ? ` (${point.year})` : "") + (point.standing ? ` · ${point.standing}` : "");
        points.append(circle);
      }
      const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Map of the library: ${atlas.groups.length} groups, listed below` }, points);
      const step = (act, label, sign, off) => make("button", { type: "button", class: "ibid-quiet", "data-act": act, "aria-label": label, title: label, disabled: off, text: sign });
      const held = chart.contains(document.activeElement) ? document.activeElement.dataset.act : null;
      const steps = make("div", { class: "ibid-zoom" }, step("nearer", "Zoom in", "+", view.near >= NEAREST), step("farther", "Zoom out", "−", view.near <= 1), step("whole", "The whole map", "⤢", view.near <= 1));
      chart.replaceChildren(svg, make("div", { class: "ibid-tip", hidden: true }), steps);
      chart.classList.toggle("ibid-near", view.near > 1);
      if (held) one(`[data-act="${held}"]:not(:disabled), .ibid-zoom button`, steps).focus({ preventScroll: true });
      drawNames(svg, x, y, width, height);
      drawChosen(wanted.group);
      mark();
    }

    /* Names near the middle of what is seen of their groups, where they don't cover one another; the list has them all.
       Where few papers are seen, they have their titles too. */
    function drawNames(svg, x, y, width, height) {
      const taken = [], names = draw("g", { class: "ibid-names" });
      const seen = atlas.points.filter((point) => x(point) > 0 && x(point) < width && y(point) > 0 && y(point) < height);
      svg.append(names);
      if (view.near > 1 && seen.length <= TITLED) {
        for (const point of seen) {
          const title = draw("text", { class: "ibid-titled", "data-act": "open", "data-paper": point.paper, "data-group": point.group, text: point.title.length > 34 ? `${point.title.slice(0, 32).trimEnd()} …` : point.title });
          names.append(title);
          const size = title.getBBox(), right = x(point) + 12 + size.width < width, at = x(point) + (right ? 12 + size.width / 2 : -12 - size.width / 2), half = size.width / 2 + 4, top = y(point) + 4;
          if (taken.some((box) => Math.abs(box.at - at) < box.half + half && Math.abs(box.top - top) < 17)) { title.remove(); continue; }
          title.setAttribute("x", at - size.width / 2);
          title.setAttribute("y", top);
          taken.push({ at, half, top });
        }
        return;
      }
      const middle = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
      atlas.groups.forEach((group, number) => {
        const own = seen.filter((point) => point.group === number);
        if (!own.length) return;
        const name = draw("text", { "data-act": "group", "data-group": number, "text-anchor": "middle", text: group.label.split(", ").slice(0, 2).join(", ") });
        names.append(name);
        const size = name.getBBox(), half = size.width / 2 + 4;
        const at = Math.max(half, Math.min(width - half, middle(own.map(x)))), base = middle(own.map(y));
        const free = [0, -20, 20, -38, 38, -56, 56].map((by) => Math.max(18, Math.min(height - 8, base + by))).find((top) => !taken.some((box) => Math.abs(box.at - at) < box.half + half && Math.abs(box.top - top) < 19));
        if (free === undefined) { name.remove(); return; }
        name.setAttribute("x", at);
        name.setAttribute("y", free);
        taken.push({ at, half, top: free });
      });
    }

    function drawChosen(group) {
      for (const button of all('[data-groups] [data-act="group"]', root)) button.setAttribute("aria-pressed", String(Number(button.dataset.group) === group));
      for (const element of all("[data-chart] [data-group]", root)) element.classList.toggle("ibid-dim", group !== null && Number(element.dataset.group) !== group);
    }

    /* Zooming keeps the place under (at, top), by default the middle, where it is. */
    function zoom(by, at = null, top = null) {
      const chart = one("[data-chart]", root), width = chart.clientWidth - 28, height = chart.clientHeight - 28;
      const near = Math.max(1, Math.min(NEAREST, view.near * by));
      const right = at === null ? 0 : (at - chart.clientWidth / 2) / width, up = top === null ? 0 : (chart.clientHeight / 2 - top) / height;
      const x = view.x + right / view.near, y = view.y + up / view.near;
      look(x - right / near, y - up / near, near);
    }

    function look(x, y, near = view.near) {
      const edge = 0.5 / near;
      Object.assign(view, { x: Math.max(edge, Math.min(1 - edge, x)), y: Math.max(edge, Math.min(1 - edge, y)), near });
      cancelAnimationFrame(drawing);
      drawing = requestAnimationFrame(drawMap);
    }

    function drag(event) {
      const chart = one("[data-chart]", root);
      if (event.button || view.near <= 1 || event.target.closest("button")) return;
      const from = { x: event.clientX, y: event.clientY, at: { ...view } };
      const move = (now) => {
        if (!dragged && Math.hypot(now.clientX - from.x, now.clientY - from.y) < 5) return;
        dragged = true;
        look(from.at.x - (now.clientX - from.x) / (view.near * (chart.clientWidth - 28)), from.at.y + (now.clientY - from.y) / (view.near * (chart.clientHeight - 28)));
      };
      const end = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", end); removeEventListener("pointercancel", end); setTimeout(() => { dragged = false; }); };
      addEventListener("pointermove", move);
      addEventListener("pointerup", end);
      addEventListener("pointercancel", end);
    }

    function tip(event) {
      const shownTip = one("[data-chart] .ibid-tip", root), point = event.target.closest?.(".ibid-point");
      if (!shownTip) return;
      shownTip.hidden = !point;
      if (!point) return;
      shownTip.textContent = point.dataset.title;
      const at = point.getBoundingClientRect(), size = shownTip.getBoundingClientRect();
      shownTip.style.left = `${Math.max(8, Math.min(at.left - size.width / 2, innerWidth - size.width - 8))}px`;
      shownTip.style.top = `${at.top - size.height - 7 < 4 ? at.bottom + 7 : at.top - size.height - 7}px`;
    }

    /* --- adding --- */

    function send(files) {
      show("add");
      const form = new FormData();
      for (const file of files) form.append("files", file, file.name);
      const request = new XMLHttpRequest();
      progress(`Sending ${files.length === 1 ? files[0].name : count(files.length, "file")}`, 0);
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) progress(null, 0.2 * event.loaded / event.total); });
      request.addEventListener("load", () => {
        let content = {};
        try { content = JSON.parse(request.responseText); } catch { /* told by its number */ }
        if (request.status === 202) watch(content);
        else outcome(failure(content.message || content.error?.message || `The server replied ${request.status}.`));
      });
      request.addEventListener("error", () => outcome(failure("The files did not arrive; is the server still running?")));
      request.open("POST", "papers/files");
      request.send(form);
    }

    async function watch(work) {
      seen = work.number;
      while (work.state === "running") {
        const part = work.total ? work.done / work.total : null;
        const doing = work.kind === "plan" ? "Checking" : work.kind === "sync" ? "Syncing with" : "Adding";
        progress(work.total ? `${doing} ${work.what}: ${work.done.toLocaleString("en")} of ${count(work.total, "record")}` : work.done ? `${doing} ${work.what}: ${count(work.done, "record")}` : `Reading ${work.what}`, part === null ? 0.2 : 0.2 + 0.8 * part);
        await new Promise((done) => setTimeout(done, WORK_MS));
        try { work = (await fetched("papers/state")).work; } catch { /* asked again */ }
        if (!work || work.number !== seen) return;
      }
      if (work.state === "failed") outcome(failure(work.message));
      else {
        const made = make("div", { class: "ibid-report" }, make("h4", { text: work.kind === "plan" ? `${work.what}: what would change` : `Done with ${work.what}` }));
        const report = make("div");
        report.innerHTML = work.report;
        made.append(...report.childNodes);
        outcome(made);
      }
      if (work.kind !== "add") { one("[data-outcome]", root).scrollIntoView({ block: "nearest" }); loadSources(); }
      refresh();
    }

    /* --- sources that are kept in step --- */

    async function loadSources() {
      const place = one("[data-in-step]", root);
      const found = await fetched("papers/sources").catch(() => ({ may: false }));
      place.hidden = !found.may;
      if (!found.may) return;
      one("[data-remembered]", place).innerHTML = found.html;
      for (const time of all("time", place)) time.textContent = new Date(time.dateTime).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
      if (!found.html) one("details", place).open = true;
    }

    async function sync(source, dry, prune) {
      progress("Reading", null);
      one("[data-progress]", root).scrollIntoView({ block: "nearest" });
      try {
        await watch(await fetched("papers/sync", { source, dry, prune }));
      } catch (error) {
        outcome(failure(error.message));
      }
    }

    function progress(text, part) {
      const place = one("[data-progress]", root), bar = one("progress", place);
      place.hidden = false;
      one("[data-outcome]", root).replaceChildren();
      if (text) one("[data-doing]", place).textContent = text;
      if (part === null) bar.removeAttribute("value"); else bar.value = part;
    }

    function outcome(element) {
      one("[data-progress]", root).hidden = true;
      one("[data-files]", root).value = "";
      one("[data-outcome]", root).replaceChildren(element);
    }

    async function type(event) {
      event.preventDefault();
      const form = event.target, wrong = one("[data-wrong]", form);
      const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
      wrong.hidden = true;
      const year = fields.year;
      if (year && !/^[12]\d{3}$/.test(year)) { wrong.textContent = "The year has four digits."; wrong.hidden = false; form.year.focus(); return; }
      if (!fields.title) { wrong.textContent = "A paper needs a title."; wrong.hidden = false; form.title.focus(); return; }
      fields.year = year ? Number(year) : null;
      try {
        progress(`Adding ${fields.title}`, null);
        await watch(await fetched("papers/add", fields));
        form.reset();
      } catch (error) {
        outcome("");
        wrong.textContent = error.message;
        wrong.hidden = false;
      }
    }

    /* --- removing --- */

    function ask(control) {
      removing = control.dataset.paper ? [control.dataset.paper] : [...picked.keys()];
      const dialog = one(".ibid-confirm", root);
      one("h3", dialog).textContent = removing.length === 1 ? "Remove this paper from the library?" : `Remove ${count(removing.length, "paper")} from the library?`;
      dialog.showModal();
      one('[data-act="keep"]', dialog).focus();
    }

    async function remove() {
      one(".ibid-confirm", root).close();
      const { removed } = await fetched("papers/remove", { ids: removing });
      for (const paper of removing) picked.delete(paper);
      if (removing.includes(current)) close();
      removing = [];
      await refresh();
      says(root, `${count(removed, "paper")} removed`);
    }

    /* --- keeping up --- */

    async function refresh() {
      const now = await fetched("papers/state");
      const changed = now.stamp !== known.stamp;
      known = now;
      root.classList.toggle("ibid-read-only", now.read_only);
      if (changed) { await load({ keep: true }); loadMap(); }
      if (now.work && now.work.state === "running" && now.work.number !== seen) { show("add"); watch(now.work); }
    }

    find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => narrow({ search: find.value.trim() }), TYPING_MS); });
    one("[data-orders]", root).addEventListener("change", (event) => narrow({ order: event.target.value.replace("-", ""), descending: event.target.value.endsWith("-") }));
    one("[data-files]", root).addEventListener("change", (event) => { if (event.target.files.length) send([...event.target.files]); });
    one("[data-form]", root).addEventListener("submit", type);
    one("[data-elsewhere]", root).addEventListener("submit", (event) => { event.preventDefault(); const source = event.target.source.value.trim(); if (source) sync(source, true, false); });
    const place = one("[data-one]", root);
    place.addEventListener("submit", (event) => {
      const form = event.target;
      if (!form.matches("[data-tagging], [data-noting]")) return;
      event.preventDefault();
      const told = (error) => failed(root, error.message);
      if (form.tag?.value.trim()) correct({ tag: form.tag.value }, "[data-tagging] input").catch(told);
      else if (form.note) correct({ field: "note", text: form.note.value }, "[data-noting] textarea").then(() => says(root, "Note saved")).catch(told);
    });
    place.addEventListener("input", (event) => {
      if (event.target.name !== "note") return;
      one("button", event.target.form).hidden = event.target.value === event.target.defaultValue;
      event.target.style.height = "auto";
      event.target.style.height = `${event.target.scrollHeight + 2}px`;
    });
    root.addEventListener("change", (event) => {
      const box = event.target.closest(".ibid-pick input");
      if (!box) return;
      const boxes = box.matches("[data-all]") ? all(".ibid-pick input", body) : [box];
      for (const each of boxes) {
        each.checked = box.checked;
        if (box.checked) picked.set(each.dataset.paper, ""); else picked.delete(each.dataset.paper);
      }
      drawNarrowed();
    });
    one("[data-chart]", root).addEventListener("mouseover", tip);
    one("[data-chart]", root).addEventListener("pointerdown", drag);
    one("[data-chart]", root).addEventListener("click", (event) => { if (dragged) { event.stopPropagation(); event.preventDefault(); } }, true);
    one("[data-chart]", root).addEventListener("wheel", (event) => {
      if (matchMedia("(max-width: 1080px)").matches && !event.ctrlKey) return; // there the page scrolls
      event.preventDefault();
      const box = one("[data-chart]", root).getBoundingClientRect();
      zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    one("[data-chart]", root).addEventListener("mouseleave", tip);
    body.addEventListener("mouseover", (event) => {
      const row = event.target.closest("tr");
      for (const point of all(".ibid-point", root)) point.classList.toggle("ibid-near", Boolean(row) && point.dataset.paper === row.dataset.paper);
    });
    body.addEventListener("click", (event) => {
      if (event.target.closest("button, input, a") || String(getSelection())) return;
      one('[data-act="open"]', event.target.closest("tr"))?.click();
    });
    for (const kind of ["dragenter", "dragover"]) root.addEventListener(kind, (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      one(".ibid-dropping", root).hidden = false;
    });
    root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) one(".ibid-dropping", root).hidden = true; });
    root.addEventListener("drop", (event) => {
      one(".ibid-dropping", root).hidden = true;
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      send([...event.dataTransfer.files]);
    });
    document.addEventListener("keydown", (event) => {
      if (!shown(root) || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const writing = event.target.matches?.("input:not([type=checkbox]), textarea, select");
      if (event.key === "Escape" && !one(".ibid-confirm", root).open && close()) event.preventDefault();
      else if (event.key === "/" && !writing) { event.preventDefault(); find.focus(); }
      else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (body.contains(event.target) || (event.target === find && event.key === "ArrowDown"))) {
        const titles = all('[data-act="open"]', body), at = titles.indexOf(one('[data-act="open"]', event.target.closest("tr") || document.createElement("tr")));
        const next = titles[at + (event.key === "ArrowDown" ? 1 : -1)];
        event.preventDefault();
        (next || find).focus();
      }
    });
    new ResizeObserver(() => drawMap()).observe(one("[data-chart]", root));
    setInterval(() => { if (shown(root) && !document.hidden) refresh().catch(() => {}); }, POLL_MS);
    const start = () => refresh().catch((error) => failed(root, error.message));
    body.replaceChildren(...[0, 1, 2, 3, 4, 5].map(() => make("tr", { class: "ibid-coming" }, make("td", { colspan: "5" }, make("i")))));
    new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) { start(); drawMap(); } }).observe(root);

    return {
      add: () => { show("add"); loadSources(); one("[data-files]", root).focus(); },
      all: () => { find.value = ""; drawChosen(null); return narrow({ search: "", group: null }); },
      back: () => { wanted.offset = Math.max(0, wanted.offset - PAGE); return load(); },
      bring: (control) => sync(control.dataset.source, false, Boolean(control.dataset.prune)),
      check: (control) => sync(control.dataset.source, true, Boolean(one("[data-prune]", control.closest("li") || control)?.checked)),
      close,
      correct: correcting,
      forget: async (control) => { await fetched("papers/forget", { source: control.dataset.source }); says(root, "Forgotten; its papers stay"); return loadSources(); },
      group: (control) => choose(Number(control.dataset.group) === wanted.group ? null : Number(control.dataset.group)),
      leave: () => outcome(""),
      farther: () => zoom(1 / 1.6),
      keep: () => one(".ibid-confirm", root).close(),
      nearer: () => zoom(1.6),
      on: () => { wanted.offset += PAGE; return load(); },
      open,
      really: remove,
      remove: ask,
      sort: (control) => narrow({ order: control.dataset.order, descending: wanted.order === control.dataset.order ? !wanted.descending : control.dataset.order === "year" }),
      tagged: (control) => { find.value = control.dataset.tag; return narrow({ search: control.dataset.tag, group: null }); },
      ungroup: () => choose(null),
      whole: () => look(0.5, 0.5, 1),
      untag: (control) => correct({ untag: control.dataset.tag }, "[data-tagging] input"),
      unpick: () => { picked.clear(); for (const box of all(".ibid-pick input", body)) box.checked = false; drawNarrowed(); },
    };
  });
})();
