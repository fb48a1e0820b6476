() => {
    // The picture of all heads: pointing tells a head, a click or Enter makes it the chosen one.
    const cellAt = event => event.target.closest && event.target.closest('.mb-head-cell');
    const cellsIn = grid => [...grid.querySelectorAll('.mb-head-cell')];
    const tell = (picture, text) => {
        const readout = picture.querySelector('.mb-readout');
        readout.textContent = text || readout.dataset.hint;
    };
    const pick = cell => {
        window.minbertPicked = [Number(cell.dataset.layer), Number(cell.dataset.head)];
        document.getElementById('attention-picked').click();
    };
    const show = cell => tell(cell.closest('.mb-heads'), cell.getAttribute('aria-label'));
    document.addEventListener('pointerover', event => {
        const cell = cellAt(event);
        if (cell) show(cell);
    });
    const leave = event => {
        const cell = cellAt(event);
        if (!cell) return;
        const picture = cell.closest('.mb-heads');
        if (event.relatedTarget && picture.contains(event.relatedTarget)) return;
        const focused = picture.querySelector('.mb-head-cell:focus');
        tell(picture, focused && focused.getAttribute('aria-label'));
    };
    document.addEventListener('pointerout', leave);
    document.addEventListener('focusout', leave);
    document.addEventListener('focusin', event => {
        const cell = cellAt(event);
        if (!cell) return;
        cellsIn(cell.closest('[role="grid"]')).forEach(one => {
            one.tabIndex = one === cell ? 0 : -1;
        });
        show(cell);
    });
    document.addEventListener('click', event => {
        const cell = cellAt(event);
        if (!cell) return;
        cell.focus({preventScroll: true});
        pick(cell);
    });
    document.addEventListener('keydown', event => {
        const cell = cellAt(event);
        if (!cell || event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            pick(cell);
            return;
        }
        const rows = [...cell.closest('[role="grid"]').querySelectorAll('[role="row"]')]
            .map(cellsIn);
        const [layer, head] = [cell.dataset.layer - 1, cell.dataset.head - 1];
        const to = {ArrowRight: [layer, head + 1], ArrowLeft: [layer, head - 1],
            ArrowDown: [layer + 1, head], ArrowUp: [layer - 1, head],
            Home: [layer, 0], End: [layer, rows[layer].length - 1]}[event.key];
        if (!to) return;
        event.preventDefault();
        const next = rows[to[0]] && rows[to[0]][to[1]];
        if (next) next.focus();
    });
}
