"""The page's few lines of JavaScript: resize, swap, and a link that holds what was typed.

The link is made on a click alone and keeps its state in the URL's fragment, which no browser
sends to a server. It is not put into the address bar, so the browser's history never gets it.
"""

# A figure that was updated while its tab was hidden keeps a wrong width until a resize. It may be
# drawn only after the tab is open, so the script looks again for three seconds.
RESIZE = """() => {
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
}"""

SWAP = "(first, second) => [second, first]"

MAKE_LINK = """(first, second) => {
    const tab = document.querySelector('button[role="tab"][aria-selected="true"]');
    const kept = new URLSearchParams({a: first, b: second, tab: tab ? tab.textContent.trim() : ''});
    return location.origin + location.pathname + location.search + '#' + kept;
}"""

READ_LINK = """(first, second) => {
    const kept = new URLSearchParams(location.hash.slice(1));
    if (!kept.has('a')) return [first, second];
    const wanted = kept.get('tab');
    setTimeout(() => {
        const tabs = [...document.querySelectorAll('button[role="tab"]')];
        const found = tabs.find(tab => tab.textContent.trim() === wanted);
        if (found) found.click();
    }, 300);
    return [kept.get('a'), kept.get('b') || ''];
}"""
