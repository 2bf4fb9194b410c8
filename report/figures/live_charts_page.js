/*
 * Runs in the HTML report, after Vega and its interpreter: has Vega draw each chart in the place of its
 * picture, and shows the values of what the mouse is over. A chart that fails stays a picture.
 */
(({ vega, vegaInterpreter: expr }) => {
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const note = document.createElement("div");
  note.className = "values";
  note.setAttribute("role", "tooltip");
  note.hidden = true;
  document.body.append(note);
  for (const place of document.querySelectorAll("[data-chart]")) {
    draw(place).catch((error) => console.error(error));
  }

  async function draw(place) {
    const container = document.createElement("div");
    const program = vega.parse(specs[place.dataset.chart], null, { ast: true });
    await new vega.View(program, { expr, renderer: "svg", container, tooltip: showValues })
      .runAsync();
    // One picture with a description, as before, to those who can't see it.
    container.setAttribute("role", "img");
    container.removeAttribute("aria-roledescription");
    container.firstElementChild.setAttribute("aria-hidden", "true");
    place.replaceChildren(container);
  }

  function showValues(_handler, event, _item, values) {
    note.hidden = values === undefined || values === null || values === "";
    if (note.hidden) return;
    note.replaceChildren(
      ...Object.entries(values).map(([name, value]) => {
        const [row, strong] = ["div", "strong"].map((tag) => document.createElement(tag));
        strong.textContent = value;
        row.append(`${name}: `, strong);
        return row;
      }),
    );
    const { width, height } = note.getBoundingClientRect();
    const inside = (place, room) => `${Math.max(0, Math.min(place + 14, room - 4))}px`;
    note.style.left = inside(event.clientX, innerWidth - width);
    note.style.top = inside(event.clientY, innerHeight - height);
  }
})(globalThis);
