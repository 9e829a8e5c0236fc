/* The Settings tab. A key is sent when it is typed, and never comes back. */
(() => {
  "use strict";

  const { all, failure, fetched, make, one, says, shown, tab, waiting } = Ibid;
  const MENDING_MS = 700;
  const HINTS = { server: "llama3.2", provider: "openai:gpt-4o-mini" };

  tab("#ibid-settings", (root) => {
    const form = one("[data-form]", root), health = one("[data-health]", root);
    let known = null, watching = false;

    const engine = () => form.engine.value;

    function drawModel() {
      one("[data-model]", root).hidden = engine() === "quotes" || !engine();
      for (const element of all("[data-for]", root)) element.hidden = !element.dataset.for.split(" ").includes(engine());
      form.model.placeholder = HINTS[engine()] || "";
      const same = known && known.engine === engine() && known.base_url === form.base_url.value.trim();
      const place = one("[data-key]", root);
      place.replaceChildren(same && known.key === "given" ? "A key is in use. Leave this empty to keep it. " : same && known.key === "environment" ? "OPENAI_API_KEY of the server's environment is used. " : "Held in this server's memory only; sent nowhere but to the model. ");
      if (same && known.key === "given") place.append(make("button", { type: "button", class: "ibid-link", "data-act": "forget", text: "Forget it" }));
    }

    function draw(now) {
      known = now;
      one("[data-fixed]", root).hidden = !now.fixed;
      one("[data-fixed]", root).textContent = now.fixed;
      for (const control of form.elements) control.disabled = Boolean(now.fixed);
      if (!now.engine) return;
      for (const name of ["engine", "on_failed_claim", "strictness"]) form[name].value = now[name];
      for (const name of ["papers", "sentences", "base_url"]) form[name].value = now[name];
      form.model.value = now.engine === "local" ? "" : now.model;
      form.key.value = "";
      form.local.replaceChildren(...(now.models.length ? now.models.map((name) => make("option", { value: name, text: name })) : [make("option", { value: "", text: "none yet; run: ibid model pull" })]));
      if (now.engine === "local" && now.model) form.local.value = now.model;
      one("[data-calibrated]", root).textContent = now.calibrated ? `${now.calibrated} Lenient and strict lie to either side of that.` : "Measured on other fields than yours, maybe: ibid calibrate fits this to your papers.";
      const lines = Object.entries(now.variables).map(([name, value]) => `export ${name}=${value}`);
      one("[data-lasting]", root).hidden = !lines.length;
      one("[data-lasting] pre", root).textContent = lines.join("\n");
      drawModel();
    }

    async function apply(forget = false) {
      const wrong = one("[data-wrong]", root), told = one("[data-applied]", root), button = one("button[type=submit]", form);
      wrong.hidden = true;
      const whole = (name) => (/^\d+$/.test(form[name].value) ? Number(form[name].value) : form[name].value);
      const choice = { engine: engine(), model: engine() === "local" ? form.local.value : form.model.value, base_url: form.base_url.value, key: form.key.value, forget_key: forget, papers: whole("papers"), sentences: whole("sentences"), on_failed_claim: form.on_failed_claim.value, strictness: form.strictness.value };
      button.disabled = true;
      told.textContent = "Applying …";
      try {
        draw(await fetched("settings/use", choice));
        told.textContent = "Applied. The next answer is made this way.";
      } catch (error) {
        told.textContent = "Nothing was changed.";
        wrong.textContent = error.message;
        wrong.hidden = false;
      } finally {
        form.key.value = "";
        button.disabled = false;
      }
    }

    async function check() {
      if (!health.children.length || one(".ibid-failure", health)) health.replaceChildren(waiting());
      try {
        const found = await fetched("settings/health");
        health.innerHTML = found.html;
        says(root, one(".ibid-health", health).textContent);
        if (found.mending && found.mending.state === "running") watch(found.mending);
      } catch (error) {
        health.replaceChildren(failure(error.message));
      }
    }

    async function watch(mending) {
      if (watching) return;
      watching = true;
      const told = one("[data-mending]", root);
      while (mending && mending.state === "running") {
        told.textContent = `${mending.message} …`;
        for (const button of all('[data-act="mend"], [data-act="check"]', root)) button.disabled = true;
        await new Promise((done) => setTimeout(done, MENDING_MS));
        try { mending = (await fetched("settings/mending")).mending; } catch { /* asked again */ }
      }
      watching = false;
      one('[data-act="check"]', root).disabled = false;
      told.textContent = mending ? mending.message : "";
      await check();
    }

    form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
    form.addEventListener("input", drawModel);
    const start = () => {
      fetched("settings/now").then(draw).catch((error) => { one("[data-wrong]", root).textContent = error.message; one("[data-wrong]", root).hidden = false; });
      check();
    };
    new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting) && shown(root) && !known) start(); }).observe(root);

    return {
      check,
      forget: () => apply(true),
      mend: async (control) => watch((await fetched("settings/mend", { cure: control.dataset.cure })).mending),
    };
  });
})();
