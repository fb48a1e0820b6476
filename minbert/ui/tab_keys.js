() => {
    // Arrows, Home and End move along a row of tabs, as screen readers tell people to; Enter or
    // Space opens, since a view may have to be computed first.
    document.addEventListener('keydown', event => {
        const tab = event.target.closest('button[role="tab"]');
        if (!tab || event.altKey || event.ctrlKey || event.metaKey) return;
        const row = [...tab.closest('[role="tablist"]').querySelectorAll('button[role="tab"]')]
            .filter(one => one.checkVisibility() && !one.disabled);
        const here = row.indexOf(tab), last = row.length - 1;
        const to = {ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last}[event.key];
        if (to === undefined) return;
        event.preventDefault();
        row[(to + row.length) % row.length].focus();
    });
}
