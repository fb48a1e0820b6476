() => {
    // The picture of all heads: a click or Enter makes a head the chosen one.
    const pick = event => {
        const cell = event.target.closest && event.target.closest('.mb-head-cell');
        if (!cell) return;
        event.preventDefault();
        window.minbertPicked = [Number(cell.dataset.layer), Number(cell.dataset.head)];
        document.getElementById('attention-picked').click();
    };
    document.addEventListener('click', pick);
    document.addEventListener('keydown', event => {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === 'Enter' || event.key === ' ') pick(event);
    });
}
