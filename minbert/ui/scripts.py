"""The page's few lines of JavaScript: resize, swap, and a link that holds what was typed.

The link is made on a click alone and keeps its state in the URL's fragment, which no browser
sends to a server. It is not put into the address bar, so the browser's history never gets it.
"""

from minbert.ui.parts.texts import file_text

# A figure that was updated while its tab was hidden keeps a wrong width until a resize. It may be
# drawn only after the tab is open, so the script looks again for three seconds.
RESIZE = file_text(__package__, "resize.js")

SWAP = "(first, second) => [second, first]"

MAKE_LINK = file_text(__package__, "make_link.js")

LIVE = file_text(__package__, "live.js")

OPEN_VIEW = file_text(__package__, "open_view.js")  # a function of a view's name

TAB_KEYS = file_text(__package__, "tab_keys.js")

POINTING = file_text(__package__, "pointing.js")

LESSONS = file_text(f"{__package__}.lessons", "lessons.js")  # a function of OPEN_VIEW

READ_LINK = (
    file_text(__package__, "read_link.js")
    .replace("OPEN_VIEW", OPEN_VIEW)
    .replace("LESSONS", LESSONS)
)
