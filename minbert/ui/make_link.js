(first, second) => {
    const tab = document.querySelector('button[role="tab"][aria-selected="true"]');
    const kept = new URLSearchParams({a: first, b: second, tab: tab ? tab.textContent.trim() : ''});
    return location.origin + location.pathname + location.search + '#' + kept;
}
