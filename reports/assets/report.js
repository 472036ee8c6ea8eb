// Comfort on top of a page that is complete without it: a copy button and the operations browser.
// Text from the run reaches the page by textContent only.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = byId(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      } catch {
        // No clipboard here: selecting leaves one key to press.
        getSelection().selectAllChildren(source);
      }
    });
  }

  // A link to a violation must find it open.
  const openTarget = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    for (let at = id && byId(id); at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
    }
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  const embedded = byId("operations");
  if (!embedded) return;

  const ROW_HEIGHT = 26;
  const OUTCOMES = { o: "ok", f: "fail", i: "info", p: "open" };
  const rows = byId("rows");
  const filters = byId("filters");
  const found = byId("found");
  const fields = filters.elements;
  let columns, searchable, space;
  let shown = [];   // positions in the columns that pass the filters
  let current = -1; // the position that is marked
  const drawn = new Map(); // place in `shown` -> element

  function start() {
    columns = JSON.parse(embedded.textContent);
    embedded.textContent = "";
    addOptions(fields.f, columns.functions, 0);
    addOptions(fields.node, columns.nodes, 1);
    rows.append(heading());
    space = document.createElement("div");
    space.className = "space";
    rows.append(space);
    filters.hidden = false;
    rows.hidden = false;
    filters.addEventListener("submit", (event) => event.preventDefault());
    filters.addEventListener("input", filter);
    filters.addEventListener("reset", () => setTimeout(filter));
    rows.addEventListener("scroll", draw, { passive: true });
    rows.addEventListener("keydown", move);
    addEventListener("resize", draw);
    document.addEventListener("click", jumpFromWitness);
    filter();
  }

  function addOptions(select, names, first) {
    names.forEach((name, position) => {
      const option = document.createElement("option");
      option.value = position + first;
      option.textContent = name;
      select.append(option);
    });
  }

  function filter() {
    const process = fields.process.value.trim() === "" ? null : Number(fields.process.value);
    const f = fields.f.value === "" ? null : Number(fields.f.value);
    const node = fields.node.value === "" ? null : Number(fields.node.value);
    const outcome = fields.outcome.value;
    const text = fields.text.value.trim().toLowerCase();
    const onlyWitnesses = fields.witness.checked;
    if (text && !searchable) searchable = columns.label.map((label) => label.toLowerCase());
    shown = [];
    for (let at = 0; at < columns.index.length; at++) {
      if (process !== null && columns.process[at] !== process) continue;
      if (f !== null && columns.f[at] !== f) continue;
      if (node !== null && columns.node[at] !== node) continue;
      if (outcome && columns.outcome[at] !== outcome) continue;
      if (onlyWitnesses && !columns.witnesses[columns.index[at]]) continue;
      if (text && !searchable[at].includes(text)) continue;
      shown.push(at);
    }
    const all = columns.index.length.toLocaleString("en");
    found.textContent = shown.length === columns.index.length
      ? `${all} operations` : `${shown.length.toLocaleString("en")} of ${all} operations`;
    space.style.height = `${shown.length * ROW_HEIGHT}px`;
    rows.setAttribute("aria-rowcount", shown.length + 1);
    for (const element of drawn.values()) element.remove();
    drawn.clear();
    draw();
  }

  // Only the rows in sight exist.
  function draw() {
    const first = Math.max(0, Math.floor(rows.scrollTop / ROW_HEIGHT) - 8);
    const last = Math.min(shown.length, first + Math.ceil(rows.clientHeight / ROW_HEIGHT) + 16);
    for (const [place, element] of drawn) {
      if (place < first || place >= last) {
        element.remove();
        drawn.delete(place);
      }
    }
    for (let place = first; place < last; place++) {
      if (!drawn.has(place)) {
        const element = row(place);
        drawn.set(place, element);
        space.append(element);
      }
      drawn.get(place).classList.toggle("current", shown[place] === current);
    }
  }

  function cells(element, role, texts) {
    element.setAttribute("role", "row");
    for (const [text, className] of texts) {
      const cell = document.createElement("span");
      cell.setAttribute("role", role);
      cell.className = className;
      cell.textContent = text;
      element.append(cell);
    }
    return element;
  }

  function heading() {
    const element = document.createElement("div");
    element.className = "row head";
    return cells(element, "columnheader", [["Index", "n"], ["Process", "n"], ["Phase", ""], ["Node", ""],
      ["Operation", ""], ["Start s", "n"], ["Took ms", "n"], ["", ""]]);
  }

  function row(place) {
    const at = shown[place];
    const element = document.createElement("div");
    const outcome = OUTCOMES[columns.outcome[at]];
    const witness = columns.witnesses[columns.index[at]];
    const took = columns.duration_us[at];
    element.className = witness ? "row witness" : "row";
    element.style.top = `${place * ROW_HEIGHT}px`;
    element.setAttribute("aria-rowindex", place + 2);
    cells(element, "gridcell", [
      [columns.index[at], "n"],
      [columns.process[at], "n"],
      [columns.phases[columns.phase[at]], "dim"],
      [columns.node[at] ? columns.nodes[columns.node[at] - 1] : "–", ""],
      [columns.label[at], `what outcome ${outcome}`],
      [(columns.start_us[at] / 1e6).toFixed(6), "n"],
      [took < 0 ? "–" : (took / 1e3).toFixed(3), "n"],
      [witness ? `✗ ${witness.join(" ")}` : "", ""],
    ]);
    element.title = `${columns.label[at]} (${outcome})`;
    element.addEventListener("click", () => {
      select(place);
      if (witness) flash(`violation-${witness[0]}-bar-${columns.index[at]}`);
    });
    return element;
  }

  function select(place) {
    current = shown[place];
    const top = place * ROW_HEIGHT;
    const room = rows.clientHeight - 2 * ROW_HEIGHT;
    if (top < rows.scrollTop) rows.scrollTop = top;
    else if (top > rows.scrollTop + room) rows.scrollTop = top - room;
    draw();
  }

  function move(event) {
    const page = Math.floor(rows.clientHeight / ROW_HEIGHT) - 2;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const at = shown.indexOf(current);
    if (event.key === "Enter" && at >= 0) {
      drawn.get(at)?.click();
    } else if (event.key in steps && shown.length) {
      select(Math.min(shown.length - 1, Math.max(0, at + steps[event.key])));
    } else {
      return;
    }
    event.preventDefault();
  }

  // From a bar or a row of a violation to the same operation among all others.
  function jumpFromWitness(event) {
    const link = event.target.closest("[data-operation]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const index = Number(link.dataset.operation);
    const at = columns.index.indexOf(index);
    if (at < 0) return;
    event.preventDefault();
    if (!shown.includes(at)) {
      filters.reset();
      filter();
    }
    const place = shown.indexOf(at);
    rows.scrollTop = (place - 8) * ROW_HEIGHT;
    select(place);
    byId("browser").scrollIntoView();
    rows.focus({ preventScroll: true });
  }

  function flash(id) {
    const element = byId(id);
    if (!element) return;
    for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    element.scrollIntoView({ block: "center" });
    element.classList.add("flash");
    setTimeout(() => element.classList.remove("flash"), 4000);
  }

  // After the first paint: the verdict must not wait for the rows.
  setTimeout(start, 20);
})();
