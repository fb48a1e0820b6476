() => {
    const known = new WeakSet();
    const choose = (figure, event) => {
        const tile = figure.layout.meta, cell = event.points[0].pointIndex;
        if (!tile || !tile.rows || !Array.isArray(cell)) return;
        const layer = Math.floor(cell[0] / tile.rows) + 1;
        const head = Math.floor(cell[1] / tile.columns) + 1;
        window.minbertPicked = [layer, head];
        document.getElementById('attention-picked').click();
    };
    document.addEventListener('pointerdown', event => {
        const plot = event.target.closest && event.target.closest('#attention-plot');
        const figure = plot && plot.querySelector('.js-plotly-plot');
        if (!figure || !figure._ev || known.has(figure._ev)) return;
        known.add(figure._ev);
        figure.on('plotly_click', told => choose(figure, told));
    }, true);
}
