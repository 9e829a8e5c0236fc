/* The Evals tab: recorded runs, two compared, and a case with its answer as the chat shows one. */
(() => {
  "use strict";

  const { all, failure, fetched, make, one, says, shown, tab, waiting } = Ibid;
  const POLL_MS = 5000;

  tab("#ibid-evals", (root) => {
    const view = one("[data-run-view]", root), pane = one("[data-pane]", root), body = one("[data-case-view]", pane);
    let current = "", drawn = null, asked = 0, opener = null, open = null, kept = "", outcome = null;

    async function list() {
      const found = await fetched(`evals/runs?${new URLSearchParams({ chosen: current })}`);
      const now = JSON.stringify(found);
      if (now === drawn) return;
      drawn = now;
      one("[data-runs]", root).innerHTML = found.html;
      one("[data-command]", root).textContent = found.command;
      one(".ibid-how", root).hidden = !found.names.length;
      if (!found.names.length) empty(found.command);
      else if (!current) await run(found.names[0]);
    }

    function empty(command) {
      view.replaceChildren(make("div", { class: "ibid-blank" }, make("h3", { text: "No run is recorded yet" }), make("p", { text: "A run asks this library the questions of a suite and judges each answer: is it right, do its citations carry it, are refusals just? In a terminal:" }), make("pre", { tabindex: "0", text: command }), make("p", { text: "It shows up here when it is done." })));
    }

    async function fill(path, then) {
      const mine = ++asked;
      view.replaceChildren(waiting());
      try {
        const found = await fetched(path);
        if (mine !== asked) return;
        view.innerHTML = found.html;
        one(".ibid-run", root).scrollTop = 0;
        says(root, one("h2", view).textContent);
        if (then) then();
      } catch (error) {
        if (mine === asked) view.replaceChildren(failure(error.message));
      }
    }

    async function run(name) {
      current = name;
      outcome = null;
      close();
      for (const button of all("[data-runs] [data-run]", root)) button.setAttribute("aria-current", String(button.dataset.run === name));
      await fill(`evals/run?${new URLSearchParams({ name })}`);
    }

    async function show(control) {
      if (!pane.contains(control)) opener = control;
      open = { name: control.dataset.run, case: control.dataset.case };
      pane.hidden = false;
      body.replaceChildren(waiting());
      one('[data-act="back"]', pane).hidden = true;
      one("[data-title]", pane).textContent = `${open.case} · ${open.name}`;
      try {
        body.innerHTML = (await fetched(`evals/case?${new URLSearchParams(open)}`)).html;
      } catch (error) {
        body.replaceChildren(failure(error.message));
      }
      body.scrollTop = 0;
      pane.focus({ preventScroll: true });
    }

    /* A sentence or reference of a recorded answer opens the paper as the run kept it. */
    async function source(control) {
      const { paper, start, end } = control.dataset;
      if (!open || !paper) return;
      const query = new URLSearchParams({ name: open.name, paper, start: start || 0, end: end || 0 });
      let found;
      try { found = await fetched(`evals/source?${query}`); } catch (error) { found = null; kept = kept || body.innerHTML; body.replaceChildren(failure(error.message)); }
      if (found) { kept = body.innerHTML; body.innerHTML = found.html; }
      one('[data-act="back"]', pane).hidden = false;
      const mark = one("mark.ibid-here", body);
      body.scrollTop = mark ? mark.offsetTop - body.clientHeight * 0.4 : 0;
      one('[data-act="back"]', pane).focus({ preventScroll: true });
    }

    function back() {
      body.innerHTML = kept;
      kept = "";
      one('[data-act="back"]', pane).hidden = true;
      pane.focus({ preventScroll: true });
    }

    function close() {
      if (pane.hidden) return false;
      pane.hidden = true;
      open = null;
      if (opener && opener.isConnected) opener.focus({ preventScroll: true });
      return true;
    }

    function narrow() {
      const words = (one("[data-find]", view)?.value || "").toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of all(".ibid-cases li", view)) {
        const text = row.textContent.toLowerCase();
        row.hidden = (outcome !== null && row.dataset.outcome !== outcome) || !words.every((word) => text.includes(word));
      }
      for (const chip of all('[data-act="outcome"]', view)) chip.setAttribute("aria-pressed", String(chip.dataset.outcome === outcome));
    }

    view.addEventListener("input", narrow);
    view.addEventListener("change", (event) => {
      if (!event.target.matches("[data-against]") || !event.target.value) return;
      close();
      fill(`evals/compare?${new URLSearchParams({ before: event.target.value, after: current })}`);
    });
    // What the chat would do with a click on a sentence is done here with the run's own papers.
    root.addEventListener("click", (event) => {
      const control = event.target.closest?.("[data-do]");
      if (!control || control.dataset.do === "copy-text") return;
      event.stopPropagation();
      if (control.dataset.do === "paper") source(control);
    });
    root.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && event.target.matches?.('.ibid-said[role="button"]')) { event.preventDefault(); event.stopPropagation(); source(event.target); }
      else if (event.key === "Escape") { if (!one('[data-act="back"]', pane).hidden) back(); else close(); event.stopPropagation(); }
      else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest?.(".ibid-cases")) {
        const rows = all(".ibid-cases li:not([hidden]) button", view), next = rows[rows.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
        if (next) { event.preventDefault(); next.focus(); }
      }
    });
    const look = () => list().catch((error) => { if (!drawn) view.replaceChildren(failure(error.message)); });
    view.replaceChildren(waiting());
    setInterval(() => { if (shown(root) && !document.hidden) look(); }, POLL_MS);
    new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) look(); }).observe(root);

    return {
      back,
      case: show,
      close,
      outcome: (control) => { outcome = outcome === control.dataset.outcome ? null : control.dataset.outcome; narrow(); },
      run: (control) => run(control.dataset.run),
    };
  });
})();
