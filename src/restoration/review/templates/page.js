for (const input of document.querySelectorAll(".slider input")) {
  const follow = () => input.parentElement.style.setProperty("--at", `${input.value}%`);
  input.addEventListener("input", follow);
  follow(); // browsers remember where it stood
}

for (const table of document.querySelectorAll("table.sortable")) {
  const key = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  const order = new Intl.Collator(undefined, { numeric: true }).compare;
  for (const button of table.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const direction = head.ariaSort === "ascending" ? "descending" : "ascending";
      for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction);
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [one, two] = [a, b].map((row) => key(row, head.cellIndex));
        if (!one || !two) return !one - !two; // what is not known comes last either way
        const [x, y] = [Number(one), Number(two)];
        const result = Number.isNaN(x) || Number.isNaN(y) ? order(one, two) : x - y;
        return direction === "ascending" ? result : -result;
      });
      table.tBodies[0].append(...rows);
    });
  }
}
