() => {
    // Items of a place with `data-pointing`: one stop of the keyboard a listbox or grid, arrows, Home
    // and End from there. The one pointed at or focused is told in the readout, and by `mb-point`.
    const view = '[data-pointing]', item = `${view} :is([role="option"], [role="gridcell"])`;
    const at = (event, selector) => event.target.closest && event.target.closest(selector);
    const itemsIn = place => [...place.querySelectorAll(item)];
    const tell = (place, name) => place.dispatchEvent(new Event(name, {bubbles: true}));
    const read = (place, textOf) => {
        const around = place.closest(':has(> .mb-readout)');
        const readout = around && around.querySelector('.mb-readout');
        if (readout) readout.textContent = textOf(readout);
    };
    const rest = place => {
        read(place, readout => readout.dataset.hint);
        tell(place, 'mb-rest');
    };
    const show = one => {
        rest(one.closest(view));
        read(one.closest(view), () => one.getAttribute('aria-label'));
        tell(one, 'mb-point');
    };
    const groupOf = one => one.closest('[role="listbox"], [role="grid"]');
    const leave = event => {
        const place = at(event, view);
        if (!place || (event.relatedTarget && place.contains(event.relatedTarget))) return;
        const focused = itemsIn(place).find(one => one.matches(':focus'));
        if (focused) show(focused);
        else rest(place);
    };
    document.addEventListener('pointerover', event => {
        const one = at(event, item);
        if (one) show(one);
    });
    document.addEventListener('pointerout', leave);
    document.addEventListener('focusout', leave);
    document.addEventListener('focusin', event => {
        const one = at(event, item);
        if (!one) return;
        itemsIn(groupOf(one)).forEach(other => {
            other.tabIndex = other === one ? 0 : -1;
            if (other.matches('[role="option"]')) other.setAttribute('aria-selected', other === one);
        });
        show(one);
    });
    document.addEventListener('click', event => {
        const one = at(event, item);
        if (one && !one.matches('button')) one.focus({preventScroll: true});
    });
    document.addEventListener('keydown', event => {
        const one = at(event, item);
        if (!one || event.altKey || event.ctrlKey || event.metaKey) return;
        const group = groupOf(one), rows = [...group.querySelectorAll('[role="row"]')].map(itemsIn);
        const row = rows.findIndex(cells => cells.includes(one)), cells = rows[row] || itemsIn(group);
        const place = cells.indexOf(one);
        const keys = group.getAttribute('aria-orientation') === 'vertical'
            ? ['ArrowUp', 'ArrowDown'] : ['ArrowLeft', 'ArrowRight'];
        if (getComputedStyle(group).direction === 'rtl') keys.reverse();
        const along = {[keys[0]]: place - 1, [keys[1]]: place + 1, Home: 0, End: cells.length - 1};
        const next = {ArrowUp: rows[row - 1], ArrowDown: rows[row + 1]};
        if (!(event.key in along) && !(rows.length && event.key in next)) return;
        event.preventDefault();
        const other = next[event.key] || [];
        const found = cells[along[event.key]] || other[Math.min(place, other.length - 1)];
        if (found) found.focus();
    });
}
