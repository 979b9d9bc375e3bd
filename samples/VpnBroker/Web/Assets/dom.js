// Elements and tables. Whatever is shown goes through textContent: names are what users chose.

const svgNamespace = 'http://www.w3.org/2000/svg';

/** Makes an element with a class, a text and children. */
export function element(name, className, text, ...children) {
  const made = document.createElement(name);
  if (className)
    made.className = className;
  if (text !== undefined)
    made.textContent = text;
  made.append(...children);
  return made;
}

/** Makes an SVG element with attributes. */
export function svg(name, attributes) {
  const made = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, value);
  return made;
}

/** Sets a text, and touches nothing when it is there already, so that a selection in it stays. */
export function setText(node, text) {
  if (node.textContent !== text)
    node.textContent = text;
}

/**
 * Shows rows in a table; its card is hidden while there are none, unless a text for that case is given.
 * A column is {title, text(row), className?, state?(row), share?(row)}.
 */
export function showTable(table, columns, rows, empty) {
  table.closest('.card').hidden = rows.length === 0 && empty === undefined;
  if (!table.tHead) {
    const head = table.createTHead().insertRow();
    head.append(...columns.map(column => element('th', column.className, column.title)));
    table.createTBody();
  }
  const body = table.tBodies[0];
  if (rows.length === 0) {
    const cell = element('td', 'empty', empty ?? '');
    cell.colSpan = columns.length;
    body.replaceChildren(element('tr', '', undefined, cell));
    return;
  }
  if (body.rows[0]?.cells[0]?.colSpan > 1)
    body.replaceChildren();
  while (body.rows.length > rows.length)
    body.deleteRow(-1);
  rows.forEach((row, index) => showRow(body.rows[index] ?? body.insertRow(), columns, row));
}

function showRow(line, columns, row) {
  columns.forEach((column, index) => {
    const cell = line.cells[index] ?? line.insertCell();
    const className = [column.className, column.state?.(row)].filter(Boolean).join(' ');
    if (cell.className !== className)
      cell.className = className;
    const text = column.text(row);
    if (column.share) {
      if (!cell.firstElementChild)
        cell.append(element('meter'), element('span'));
      cell.firstElementChild.value = column.share(row) ?? 0;
      setText(cell.lastElementChild, ` ${text}`);
      return;
    }
    setText(cell, text);
    if (className.includes('name') || className.includes('wide'))
      cell.title = text;
  });
}
