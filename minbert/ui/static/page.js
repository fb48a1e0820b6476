// The script of the page of findings: draws figures when they come into view, shows the chosen panels and maps.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const read = (name) => JSON.parse(document.getElementById(`data-${name}`).textContent);
  const figures = { ...read("figures"), ...(byId("data-live") ? read("live").figures : {}) };
  const template = read("template"), attention = read("attention");
  const options = { displayModeBar: false, responsive: true };
  const drawn = new Set();

  const react = (place, data, layout) =>
    Plotly.react(place, data, { ...layout, template }, options);

  // Attention: the numbers of all maps are here; the chosen one goes into the figure and the table.
  const map = byId("attention-map");
  const chosen = ["text", "layer", "head"].map((name) => byId(`attention-${name}`));

  const chosenMap = () => {
    const [text, layer, head] = chosen.map((list) => Number(list.value));
    const one = attention[text];
    const shares = one.maps[layer][head].map((row) => row.map((share) => share / 10000));
    return { one, shares, layer, head, finding: one.findings[layer][head] };
  };

  const cell = (kind, text, scope) => {
    const made = document.createElement(kind);
    made.textContent = text;
    if (scope) made.scope = scope;
    return made;
  };

  const tableOf = (tokens, shares, caption) => {
    const table = document.createElement("table");
    table.createCaption().textContent = caption;
    const head = table.createTHead().insertRow();
    head.append(cell("th", "looks ↓ at →", "col"), ...tokens.map((token) => cell("th", token, "col")));
    const body = table.createTBody();
    shares.forEach((row, place) => {
      const numbers = row.map((share) => cell("td", `${(100 * share).toFixed(1)}%`));
      body.insertRow().append(cell("th", tokens[place], "row"), ...numbers);
    });
    const frame = document.createElement("div");
    frame.className = "mb-table";
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", caption);
    frame.append(table);
    return frame;
  };

  const drawMap = () => {
    const { one, shares } = chosenMap();
    const heatmap = { ...one.figure.data[0], z: shares, zmax: Math.max(...shares.flat()) };
    map.style.minHeight = `${one.figure.layout.height}px`;
    react(map, [heatmap], one.figure.layout);
  };

  const showMap = () => {
    const { one, shares, layer, head, finding } = chosenMap();
    const who = head ? `head ${head}` : "mean of all heads";
    const caption = `Attention of layer ${layer + 1}, ${who}: shares of each row`;
    byId("attention-words").querySelector("h3").textContent = finding;
    byId("attention-numbers").replaceChildren(tableOf(one.tokens, shares, caption));
    if (drawn.has(map)) drawMap();
  };

  const draw = (place) => {
    if (drawn.has(place)) return;
    drawn.add(place);
    if (place === map) drawMap();
    else react(place, figures[place.id].data, figures[place.id].layout);
  };

  // A figure that changes: `change` is given its data and layout.
  window.minbertFigure = (key, change) => {
    change(figures[key]);
    if (drawn.has(byId(key))) react(byId(key), figures[key].data, figures[key].layout);
  };

  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      near.unobserve(entry.target);
      draw(entry.target);
    }),
    { rootMargin: "600px 0px" },
  );

  // A list and its panels: one panel is open. A figure that was hidden may have missed a new width.
  const showPanel = (list) => {
    document.querySelectorAll(`[data-panel="${list.dataset.panels}"]`).forEach((panel, place) => {
      panel.hidden = place !== Number(list.value);
      if (!panel.hidden) {
        panel.querySelectorAll("[data-figure]").forEach((figure) => {
          if (drawn.has(figure)) Plotly.Plots.resize(figure);
        });
      }
    });
  };

  document.querySelectorAll("[data-panels]").forEach((list) => {
    list.addEventListener("change", () => showPanel(list));
    showPanel(list); // a browser may have kept what was chosen before a reload
  });
  // A teacher's link, #lesson=negation, opens that lesson.
  const openLesson = () => {
    const id = new URLSearchParams(location.hash.slice(1)).get("lesson"), place = id && byId(`lesson-${id}`);
    if (!place) return;
    const list = byId("lesson"), panels = [...document.querySelectorAll('[data-panel="lesson"]')];
    list.value = panels.indexOf(place.parentElement);
    showPanel(list);
    list.scrollIntoView();
  };
  addEventListener("hashchange", openLesson);
  openLesson();
  chosen.forEach((list) => list.addEventListener("change", showMap));
  showMap();
  const places = document.querySelectorAll("[data-figure]");
  places.forEach((place) => near.observe(place));
  window.addEventListener("beforeprint", () =>
    places.forEach((place) => place.offsetParent && draw(place)));
})();
