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
from collections import ChainMap
from typing import TYPE_CHECKING, Any

from gradio.blocks import Block
from gradio.components import State
from gradio.state_holder import SessionState, StateHolder

if TYPE_CHECKING:
    from gradio import Blocks

MOST_SESSIONS = 500  # visitors whose pins and answers are kept at once
SECONDS_AFTER_CLOSING = 3_600  # so long a closed page's state waits for its visitor


class Session(SessionState):
    """One visitor's states; components are the page's own until an event changes one."""

    def __init__(self, blocks: Blocks) -> None:
        """Begin with the page as it was built."""
        self.blocks_config = copy.copy(blocks.default_config)
        self.blocks_config.blocks = ChainMap({}, blocks.default_config.blocks)  # type: ignore[assignment] # as a dict
        self.blocks_config.fns = blocks.default_config.fns
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, tuple[float | None, datetime.datetime]] = {}
        self.state_keys, self.read_keys = keys_of(blocks)
        self.just_made: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = SECONDS_AFTER_CLOSING

    def __setitem__(self, key: int, value: Any) -> None:  # noqa: ANN401 - a state's value, or a component
        """Keep a state's value, or a component that an event changed, if an event reads it.

        Gradio makes a new component of each update, some ten kilobytes; what a figure or a text
        was changed to is needed by the browser alone.
        """
        if key in self.state_keys or key in self.read_keys:
            super().__setitem__(key, value)
            self.config_values.clear()
        else:
            self.just_made = {key: value}

    def __getitem__(self, key: int) -> Any:  # noqa: ANN401 - as above
        """Return a state's value or a component; one that isn't kept once, to its maker."""
        return self.just_made.pop(key) if key in self.just_made else super().__getitem__(key)

    def _update_config(self, key: int) -> None:
        """Keep nothing of a component's configuration."""

    def _update_value_in_config(self, key: int, value: Any) -> None:  # noqa: ANN401 - a component's
        """Keep nothing of what a component shows."""


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
            while len(self.session_data) > self.capacity:
                others = (name for name in self.session_data if name != session_id)
                gone = min(others, key=self._worth)  # of equal ones the first, used the longest ago
                del self.session_data[gone]
                self.time_last_used.pop(gone, None)

    def _worth(self, session_id: str) -> tuple[bool, bool]:
        session = self.session_data[session_id]
        return bool(session.state_data), not session.is_closed
