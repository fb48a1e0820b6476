() => {
    const isWrong = plot => {
        const drawn = plot.querySelector('svg.main-svg');
        return drawn && plot.offsetWidth > 0
            && Math.abs(drawn.getBoundingClientRect().width - plot.offsetWidth) > 1;
    };
    const look = times => {
        if ([...document.querySelectorAll('.js-plotly-plot')].some(isWrong)) {
            window.dispatchEvent(new Event('resize'));
        }
        if (times > 1) setTimeout(look, 100, times - 1);
    };
    setTimeout(look, 60, 30);
}
