"""The start of the page: what it makes of the environment, before anything heavy is imported."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path

import gradio
import pytest

from minbert.ui import app
from tests.served import free_ports, serving
from tests.support import assert_says


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with a few variables, and put all back afterwards."""
    kept = {"PATH": os.environ["PATH"], "GRADIO_TEMP_DIR": str(tmp_path)}
    monkeypatch.setattr(os, "environ", kept)


@pytest.mark.parametrize(
    ("cores", "threads"), [("2", "2"), ("0.5", "1"), ("3.5", "3"), ("500m", None), ("", None)]
)
def test_threads_are_the_space_s_cores(cores: str, threads: str | None) -> None:
    os.environ["CPU_CORES"] = cores
    app.prepare_environment()
    assert os.environ.get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize("port", ["", "abc", "-1", "70000"])
def test_a_port_that_is_none_ends_the_start(port: str) -> None:
    os.environ["GRADIO_SERVER_PORT"] = port
    with pytest.raises(SystemExit, match=f"GRADIO_SERVER_PORT.*{port!r}"):
        app.prepare_environment()


def test_the_page_s_files_are_its_user_s_alone(tmp_path: Path) -> None:
    app.prepare_environment()
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    assert folder.parent == tmp_path
    assert folder.name.startswith("minbert-lab-")
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("broken", ["a file", "a link"])
def test_a_folder_that_can_t_be_used_ends_the_start(tmp_path: Path, broken: str) -> None:
    place = app.own_folder()
    place.rmdir()
    if broken == "a link":
        place.symlink_to(tmp_path)
    else:
        place.write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match="GRADIO_TEMP_DIR"):
        app.prepare_environment()


def test_the_page_s_own_address_needs_no_proxy(capsys: pytest.CaptureFixture[str]) -> None:
    os.environ |= {"HTTP_PROXY": "http://10.0.0.1:3128", "NO_PROXY": "example.org"}
    app.prepare_environment()
    assert os.environ["NO_PROXY"].split(",") == ["example.org", "127.0.0.1", "localhost", "::1"]
    assert os.environ["HTTP_PROXY"] == "http://10.0.0.1:3128"
    assert not capsys.readouterr().err


def test_a_socks_proxy_without_its_library_is_left_out_and_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    os.environ |= {"ALL_PROXY": "socks5://10.0.0.1:1080", "HTTP_PROXY": "http://10.0.0.1:3128"}
    app.prepare_environment()
    assert "ALL_PROXY" not in os.environ
    assert "HTTP_PROXY" in os.environ
    assert "ALL_PROXY" in capsys.readouterr().err


def test_an_index_that_lies_with_the_page_is_used_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "ASSETS", tmp_path)
    app.use_published_index()
    assert "MINBERT_INDEX" not in os.environ
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "index.json").write_text("{}", encoding="utf-8")
    app.use_published_index()
    assert os.environ["MINBERT_INDEX"] == str(tmp_path / "index")
    os.environ["MINBERT_INDEX"] = "mine"
    app.use_published_index()
    assert os.environ["MINBERT_INDEX"] == "mine"


@pytest.mark.parametrize("maker", ["create_or_modify_pyi", "renamed in a later gradio"])
def test_the_start_makes_no_stubs_of_components(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maker: str
) -> None:
    (tmp_path / "knob.py").write_text(
        "from gradio.component_meta import ComponentMeta\n\n"
        "class Knob(metaclass=ComponentMeta):\n    EVENTS = ['turn']\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(app.StubsKept, "MAKER", maker)
    monkeypatch.setattr(gradio, "component_meta", gradio.component_meta)
    monkeypatch.delitem(sys.modules, "gradio.component_meta")
    with app.quick_start():
        knob = importlib.import_module("knob").Knob
    del sys.modules["knob"]
    gc.unfreeze()
    assert callable(knob.turn)
    assert (tmp_path / "knob.pyi").exists() == (maker != "create_or_modify_pyi")


def test_a_start_that_fails_leaves_python_as_it_was() -> None:
    before, kept = list(sys.meta_path), gc.get_freeze_count()

    def refuse() -> None:
        with app.quick_start():
            assert not gc.isenabled()
            sys.exit(2)

    with pytest.raises(SystemExit):
        refuse()
    assert gc.isenabled()
    assert sys.meta_path == before
    assert gc.get_freeze_count() == kept


@pytest.mark.parametrize(
    ("option", "steps"),
    [
        ("--mcp", ["pip install 'gradio[mcp]'"]),
        ("--models", ["folders or Hugging Face ids", "python app.py"]),
    ],
)
def test_what_is_missing_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    option: str,
    steps: list[str],
) -> None:
    monkeypatch.setattr(app, "ASSETS", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("sys.argv", ["minbert-app", *([option] if option == "--mcp" else [])])
    with pytest.raises(SystemExit) as stopped:
        app.main()
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert_says(told, parameter=f"`{option}`", found="Found none", step=steps)


SLOW = """
import gradio
from minbert.ui.theme import launch_options
gradio.networking.url_ok = lambda _: False  # as after three seconds without an answer
with gradio.Blocks() as page:
    pass
page.launch(**launch_options(), prevent_thread_lock=True)
print("served all the same")
"""


def test_a_page_that_is_slow_to_answer_is_served_all_the_same() -> None:
    (port,) = free_ports(1)
    with serving(["-c", SLOW], ready="served all the same", GRADIO_SERVER_PORT=str(port)):
        pass
