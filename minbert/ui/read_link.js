(first, second) => {
    const open = OPEN_VIEW;
    const kept = new URLSearchParams(location.hash.slice(1));
    if (!kept.has('a')) return [first, second];
    setTimeout(open, 300, kept.get('tab') || '');
    return [kept.get('a'), kept.get('b') || ''];
}
