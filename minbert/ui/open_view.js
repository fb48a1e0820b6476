name => {
    // By the view's name, or by a tab's title, as older links have it. A sub-view is there a little
    // after its tab.
    const press = wanted => {
        const tabs = [...document.querySelectorAll('button[role="tab"]')];
        const found = tabs.find(
            tab => tab.dataset.tabId === wanted || tab.textContent.trim() === wanted);
        if (found) found.click();
        return found;
    };
    const [tab] = name.split('-');
    press(tab);
    const again = times => {
        if (tab !== name && !press(name) && times > 0) setTimeout(again, 100, times - 1);
    };
    again(20);
}
