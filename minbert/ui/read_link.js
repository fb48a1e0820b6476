(first, second) => {
    const kept = new URLSearchParams(location.hash.slice(1));
    if (!kept.has('a')) return [first, second];
    const wanted = kept.get('tab');
    setTimeout(() => {
        const tabs = [...document.querySelectorAll('button[role="tab"]')];
        const found = tabs.find(tab => tab.textContent.trim() === wanted);
        if (found) found.click();
    }, 300);
    return [kept.get('a'), kept.get('b') || ''];
}
