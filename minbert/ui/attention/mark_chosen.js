(layer, head, view) => {
    // A picture that has just come is in the document a frame later. The mean of all heads, and
    // a rollout, is no head of the picture.
    const mark = () => document.querySelectorAll('.mb-heads').forEach(picture => {
        const cells = [...picture.querySelectorAll('.mb-head-cell')];
        const chosen = cells.find(cell => view === ONE && Number(cell.dataset.layer) === layer
            && Number(cell.dataset.head) === head);
        cells.forEach(cell => cell.setAttribute('aria-selected', cell === chosen));
        if (!chosen || picture.contains(document.activeElement)) return;
        cells.forEach(cell => { cell.tabIndex = cell === chosen ? 0 : -1; });
    });
    mark();
    setTimeout(mark, 60);
}
