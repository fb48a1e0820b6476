(first, second) => {
    const open = [...document.querySelectorAll('button[role="tab"][aria-selected="true"]')]
        .filter(tab => tab.offsetParent !== null).pop();  // a sub-view stands behind its tab
    const kept = new URLSearchParams({a: first, b: second, tab: open ? open.dataset.tabId : ''});
    return location.origin + location.pathname + location.search + '#' + kept;
}
