() => {
    const cellAt = event => event.target.closest && event.target.closest('.mb-phrase');
    const readoutOf = place => place.closest('.mb-phrases').querySelector('.mb-readout');
    const show = cell => { readoutOf(cell).textContent = cell.getAttribute('aria-label'); };
    const leave = event => {
        const grid = event.target.closest && event.target.closest('.mb-pyramid');
        if (!grid || (event.relatedTarget && grid.contains(event.relatedTarget))) return;
        const focused = grid.querySelector('.mb-phrase:focus'), readout = readoutOf(grid);
        if (focused) show(focused);
        else readout.textContent = readout.dataset.hint;
    };
    document.addEventListener('pointerover', event => {
        const cell = cellAt(event);
        if (cell) show(cell);
    });
    document.addEventListener('pointerout', leave);
    document.addEventListener('focusout', leave);
    document.addEventListener('focusin', event => {
        const cell = cellAt(event);
        if (!cell) return;
        cell.closest('.mb-pyramid').querySelectorAll('.mb-phrase').forEach(one => {
            one.tabIndex = one === cell ? 0 : -1;
        });
        show(cell);
    });
    document.addEventListener('click', event => {
        const cell = cellAt(event);
        const box = cell && document.querySelector('#first textarea, #first input');
        if (!box) return;
        box.value = cell.dataset.text;
        box.dispatchEvent(new Event('input', {bubbles: true}));
        setTimeout(() => document.getElementById('answer')?.click(), 60);  // the box's new text is known
    });
    document.addEventListener('keydown', event => {
        const cell = cellAt(event);
        if (!cell || event.altKey || event.ctrlKey || event.metaKey) return;
        const rows = [...cell.closest('.mb-pyramid').children].map(row => [...row.children]);
        const row = rows.findIndex(cells => cells.includes(cell));
        const place = rows[row].indexOf(cell);
        // a row further down has one cell more, half a cell to the left
        const to = {ArrowRight: [row, place + 1], ArrowLeft: [row, place - 1],
            ArrowDown: [row + 1, place], ArrowUp: [row - 1, Math.min(place, rows[row].length - 2)],
            Home: [row, 0], End: [row, rows[row].length - 1]}[event.key];
        if (!to) return;
        event.preventDefault();
        const found = rows[to[0]] && rows[to[0]][to[1]];
        if (found) found.focus();
    });
}
