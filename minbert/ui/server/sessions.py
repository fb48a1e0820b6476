"""What the server remembers of a visitor: states, and components that an event changed.

Gradio keeps a copy of the page's configuration for each session, half a megabyte, and writes into
it all that the visitor types and sees, to build links that open on the same state. This page makes
no such links, so its sessions have no copy. Differs from gradio 6.31 in two more things: a call
without a session is given one that is not stored, since nobody can come back for it; and of too
many sessions the first to go are those that hold no state, then those whose page was closed.
"""

from __future__ import annotations

import copy
import datetime
import functools
from typing import TYPE_CHECKING, Any

from gradio.blocks import Block
from gradio.components import State
from gradio.state_holder import SessionState, StateHolder

if TYPE_CHECKING:
    from gradio import Blocks

MOST_SESSIONS = 500  # visitors whose pins and answers are kept at once
PLACED = ("parent", "is_rendered", "share_token")  # of a component, by its place in a page
SECONDS_AFTER_CLOSING = 3_600  # so long a closed page's state waits for its visitor


class Session(SessionState):
    """One visitor's states; components are the page's own, but for what an event changed of one."""

    def __init__(self, blocks: Blocks) -> None:
        """Begin with the page as it was built."""
        self.blocks_config = blocks.default_config
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, tuple[float | None, datetime.datetime]] = {}
        self.state_keys, self.read_keys = keys_of(blocks)
        self.changed: dict[int, dict[str, Any]] = {}  # attributes by component
        self.just_made: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = SECONDS_AFTER_CLOSING

    def __setitem__(self, key: int, value: Any) -> None:  # noqa: ANN401 - a state's value, or a component
        """Keep a state's value, or what an event changed of a component that some event reads.

        Gradio makes a new component of each update, some four kilobytes; what a figure or a text
        was changed to is needed by the browser alone.
        """
        if key in self.state_keys:
            super().__setitem__(key, value)
            self.config_values.clear()
            return
        self.just_made = {key: value}
        if key in self.read_keys:
            self.changed[key] = changes(self.blocks_config.blocks[key], value)

    def __getitem__(self, key: int) -> Any:  # noqa: ANN401 - as above
        """Return a state's value or a component; as an event made it once, to its maker."""
        if key in self.just_made:
            return self.just_made.pop(key)
        found = super().__getitem__(key)
        if key in self.changed:
            found = copy.copy(found)
            vars(found).update(self.changed[key])
        return found

    def _update_config(self, key: int) -> None:
        """Keep nothing of a component's configuration."""

    def _update_value_in_config(self, key: int, value: Any) -> None:  # noqa: ANN401 - a component's
        """Keep nothing of what a component shows."""


def changes(own: Block, made: Block) -> dict[str, Any]:
    """Return the attributes of a component made by an event that differ from the page's own."""
    before = vars(own)
    found = {
        name: value
        for name, value in vars(made).items()
        if not (name.startswith("_") or name in PLACED) and before.get(name) != value
    }
    return {**found, "_constructor_args": [made.constructor_args]}  # the next update adds to these


@functools.lru_cache(maxsize=4)  # pages of one process
def keys_of(blocks: Blocks) -> tuple[frozenset[int], frozenset[int]]:
    """Return the numbers of a page's states, and of the components that some event reads."""
    fns, every = blocks.default_config.fns.values(), blocks.default_config.blocks
    read = {component._id for fn in fns for component in fn.inputs if isinstance(component, Block)}
    states = {number for number, block in every.items() if isinstance(block, State)}
    return frozenset(states), frozenset(read - states)


class Sessions(StateHolder):
    """The sessions of all visitors, the least recently used first."""

    def __init__(self, blocks: Blocks) -> None:
        """Keep sessions of a page, as many as it has capacity for."""
        super().__init__()  # type: ignore[no-untyped-call] # gradio's
        self.set_blocks(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        """Return a visitor's session; of a call without one, a new one that isn't stored."""
        if session_id in self.blocks._queue.event_ids_to_events:  # gradio names it after the event
            return Session(self.blocks)
        with self.lock:
            if session_id not in self.session_data:
                self.session_data[session_id] = Session(self.blocks)
            session = self.session_data[session_id]
        self.update(session_id)
        self.time_last_used[session_id] = datetime.datetime.now()
        return session

    def update(self, session_id: str) -> None:
        """Note that a session is used, and let another go where there are too many."""
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            events = list(self.blocks._queue.event_ids_to_events.values())
            used = {session_id, *(event.session_hash for event in events)}  # their states come yet
            while len(self.session_data) > self.capacity:
                others = [name for name in self.session_data if name not in used]
                if not others:
                    break
                gone = min(others, key=self._worth)  # of equal ones the first, used the longest ago
                del self.session_data[gone]
                self.time_last_used.pop(gone, None)

    def _worth(self, session_id: str) -> tuple[bool, bool]:
        session = self.session_data[session_id]
        return bool(session.state_data), not session.is_closed
