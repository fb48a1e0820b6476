"""Fixtures that the trainer's tests share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from minbert.checkpoint import export_encoder
from minbert.multitask import MultitaskBert
from tests.support import redraw, tiny_model
from tests.trainer.file_server import Server
from tests.trainer.publish.hub_state import FakeHub
from tests.trainer.publish.publish_samples import SLIM, our_hub, small_checkout
from tests.trainer.samples import write_course_files


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with small data files in the course's format; nobody writes there."""
    return write_course_files(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny encoder in Hugging Face's format; nobody writes there."""
    folder = tmp_path_factory.mktemp("encoder")
    model = tiny_model(folder)
    redraw(model, seed=2, std=0.3)
    assert model.tokenizer is not None
    export_encoder(model.encoder, model.tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny multitask checkpoint; nobody writes there."""
    folder = tmp_path_factory.mktemp("model")
    model: MultitaskBert = tiny_model(folder, similarity_score="mean")
    redraw(model, seed=3, std=0.3)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: quicker for tiny models, and the same bits each time on a machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Give a running server of one file."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.release.set()
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small checkout to publish; nobody writes there."""
    return small_checkout(tmp_path_factory.mktemp("publish") / "checkout")


@pytest.fixture(scope="session")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a checkout with next to nothing of the app, quick to publish; nobody writes there."""
    return small_checkout(tmp_path_factory.mktemp("slim") / "checkout", SLIM)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Serve a Hub, and point the client at it: its token, its address, plain LFS."""
    with our_hub(monkeypatch) as fake:
        yield fake
