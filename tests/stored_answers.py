"""Stores what a restructuring must not change, and compares it later.

`python -m tests.stored_answers make DIR` asks the program as it is now and writes one JSON file a
part into DIR; `... compare DIR` asks again, keeps the new answers in DIR/now, prints one line a
difference and exits with 1 if there is any. The parts: the public endpoints (api), the page in a
browser (page), every --help (help), both models' scores on dev (scores), screenshots (shots).

Only public surfaces are used: named endpoints, elem_ids, labels, commands. Numbers are equal to
1e-6, pixels of a screenshot's size to 2; texts, numbers within them too, are equal exactly.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

from tests.served import ROOT, served_app

NEAR = 1e-6
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # sums in the same order
ENDPOINTS = (
    *("/predict", "/compare_pooling", "/attention", "/explain"),
    *("/similarity_split", "/similarity_matrix", "/batch"),
)
INPUTS: dict[str, tuple[str, str]] = {
    "single": ("The young woman next door baked a truly delightful lemon cake.", ""),
    "pair": ("The old bridge is closed for repairs.", "Workers are mending the old bridge."),
    "questions": ("How can I keep basil alive indoors?", "What makes basil survive in a flat?"),
    "negation": ("The concert was not boring in the least.", "The concert was boring."),
    "unrelated": ("A goat climbed onto the roof.", "Interest rates fell again in spring."),
    "scorn": ("A lifeless, clumsy and endless opera.", "What a shame about that opera."),
    "neutral single": ("The parcel weighs two kilograms.", ""),
    "one word": ("Splendid", "Dreadful"),
    "emoji": ("Loved the picnic 🧺🎉😀", "The picnic was fun 👍🏽"),
    "only emoji": ("🌧️🌧️🌧️", ""),
    "right to left": ("הגשם ירד כל הלילה ליד הים", "كان المطر يهطل طوال الليل"),
    "only punctuation": ("?!... --- ;;", "!!!"),
    "long": ("the tired ferry crossed the grey bay and " * 22, "a ferry crossed the bay " * 9),
    "long single": ("every lamp in the narrow street was lit, " * 25, ""),
    "treebank": ("A `` clever '' farce -LRB- mostly -RRB- that works .", "It 's n't a farce ."),
    "html": ("<b>x</script>", '<img src=x onerror="alert(1)"> & <i>y</i>'),
    "html single": ("</textarea><!-- a comment --> it was &lt;fine&gt;", ""),
    "empty first": ("", "There is only a second sentence."),
    "white space": (" \t \n ", " "),
    "white space second": ("  The   kettle\tis on. ", "   "),
    "zero width": ("\u200b\u200e\u200d", "The first one can't be seen."),
    "zero width within": ("won\u200bder\u200bful ev\u00adening", "a wonderful evening"),
    "nul": ("A silent\x00 sign in the middle.", "The sign\x00 is silent."),
    "repeated": ("Fine work. Fine work. Fine work. Fine work.", ""),
    "identical": ("Snow fell on the empty square.", "Snow fell on the empty square."),
    "mixed case": ("tHe SHOP Was ClOsEd", "THE SHOP WAS CLOSED"),
    "numbers": ("In 1997, 3,250 people paid $4.50 each at 19:30.", "3250 people paid 4.5 dollars."),
    "other languages": (
        "Der Zug kam leider zu spät an.",
        "Le train est arrivé en retard, 列车晚点了",
    ),
    "people": ("The young woman thanked the old Indian actor.", "She thanked the Muslim actor."),
    "marks": ("the [MASK] was warm [SEP] and [CLS] dry", "O'Neill's café—naïve, co-op [UNK] ##ing"),
}
TARGETS = (
    *[("sentiment", target) for target in ("", "negative", "4", "expected", "7")],
    *[("similarity", target) for target in ("", "joint", "siamese", "mean")],
    *[("paraphrase", ""), ("mood", "")],
)
METHODS = ("integrated gradients", "gradient", "occlusion", "rollout", "guess")
FILES = {  # every third is for one of the three inputs at which the page's buttons are pressed
    "columns.csv": "id,title\n1,x\n",
    "broken.csv": 'sentence\n"It never ends',
    "twins.csv": "sentence1;sentence2;is_duplicate\nIs it old?;How old is it?;1\nWhy?;Who?;0\n",
    "lines.txt": "The jam was too sweet.\nA brave and tender play.\n\nWe left early.\n",
    "moods.csv": 'id,sentence,sentiment\n1,"Warm, witty and wise.",4\n2,So dull.,0\n3,Fine.,9\n',
    "unlabelled.tsv": "sentence1\tsentence2\nThe tap drips.\tWater drips from the tap.\n",
    "near.tsv": (
        "id\tsentence1\tsentence2\tsimilarity\na\tA boy skates.\tA child is skating.\t4.2\n"
        "b\tA cow grazes.\tThe clerk sneezed.\t0\nc\tHe hums.\tHe sings.\t2.5\n"
    ),
}
Part = Callable[[Path, argparse.Namespace], Any]


def asked(client: Client, name: str, *values: Any) -> Any:  # noqa: ANN401 - whatever it answers
    """Return an endpoint's answer, or what it says when it refuses."""
    try:
        return client.predict(*values, api_name=name)
    except Exception as error:  # the message is the answer
        return {"refused": str(error)}


def explanations(place: int, name: str) -> list[tuple[str, str, str]]:
    """Return the tasks, targets and methods to explain an input by: two, of one pair all."""
    every = [(*target, method) for target in TARGETS for method in METHODS]
    if name == "pair":
        return every
    asked_right = [
        how for how in every if how[1] != "7" and "mood" not in how and "guess" not in how
    ]
    first, second = 7 * place, 7 * place + 16
    return [asked_right[first % len(asked_right)], asked_right[second % len(asked_right)]]


def store_api(_: Path, __: argparse.Namespace) -> Any:  # noqa: ANN401 - JSON
    """Ask the public endpoints, their parameters varied over the inputs."""
    found: dict[str, Any] = {}
    with served_app(**ONE_THREAD) as url, tempfile.TemporaryDirectory() as folder:
        client = Client(url, verbose=False)
        told: Any = client.view_api(return_format="dict", print_info=False)
        found["info"] = {name: told["named_endpoints"].get(name) for name in ENDPOINTS}
        layers: list[tuple[Any, ...]] = [(), (6,), (3, [2, 5]), (1, [], "cls"), (7,), (1, [1, 1])]
        others = itertools.cycle([text for pair in INPUTS.values() for text in pair])
        for place, (name, pair) in enumerate(INPUTS.items()):
            model = ("mean", "cls")[place % 2]
            answers = found[name] = {
                end: asked(client, end, *pair)
                for end in ("/predict", "/compare_pooling", "/similarity_split")
            }
            # of a long text two rows of all heads are enough
            chosen = layers[place % len(layers)] if len(" ".join(pair)) < 400 else (2,)
            answers[f"/attention {chosen}"] = asked(client, "/attention", *pair, *chosen)
            for how in explanations(place, name):
                answers[f"/explain {how}"] = asked(client, "/explain", *pair, *how)
            texts = [text for text in (*pair, *itertools.islice(others, 3)) if text.strip()]
            pooling = ("cls", "mean", "max", "pooler", "median")[place % 5]
            compared = asked(client, "/similarity_matrix", texts, pooling)
            answers[f"/similarity_matrix {pooling}"] = compared
            kind, rows = ("sentiment", "\n".join(pair)), ("pairs", "\t".join(pair))
            for task, text in (kind, rows):
                answers[f"/batch {task} {model}"] = asked(client, "/batch", None, text, task, model)
        for name, content in FILES.items():
            path = Path(folder) / name
            path.write_text(content, encoding="utf-8")
            for task, model in (("auto", "mean"), ("sentiment", "cls"), ("pairs", "mean")):
                brought = asked(client, "/batch", handle_file(path), "", task, model)
                found[f"/batch {name} {task} {model}"] = brought
        for texts in ([], ["One line."] * 51, ["Fine.", " "], ["Alone."]):
            key = f"/similarity_matrix of {len(texts)}: {texts[-1:]}"
            found[key] = asked(client, "/similarity_matrix", texts, "mean")
        client.close()
    return found


def printed(*command: str) -> str:
    """Return what a command prints, at 100 columns."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("MINBERT_")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**bare, **ONE_THREAD, "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return f"{done.stdout}\nexit {done.returncode}"


def helps(*command: str) -> Iterator[tuple[str, str]]:
    """Yield a command's help, and that of the commands which it lists."""
    text = printed(sys.executable, *command, "--help")
    yield " ".join(command), text
    for name in re.findall(r"^ {4}([a-z][a-z-]*)(?: .*)?$", text, re.MULTILINE):
        yield from helps(*command, name)


def store_help(_: Path, __: argparse.Namespace) -> Any:  # noqa: ANN401 - JSON
    """Ask every command for its help."""
    commands = [("-m", "trainer"), ("-m", "minbert.ui.static"), ("app.py",)]
    found = dict(itertools.chain.from_iterable(helps(*command) for command in commands))
    return {**found, "make": printed("make")}


def store_scores(_: Path, options: argparse.Namespace) -> Any:  # noqa: ANN401 - JSON
    """Score both shipped models on dev."""
    found: dict[str, Any] = {}
    data = ["--data", str(options.data)] if options.data else []
    for model in ("mean", "cls"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scores.json"
            command = ["evaluate", "--model", f"assets/models/{model}", "--json", str(path), *data]
            text = printed(sys.executable, "-m", "trainer", *command, "--threads", "1")
            told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        numbers = {key: told[key] for key in ("normalised", "metrics")} if told else None
        rows = [line for line in text.splitlines() if line.startswith("|")]
        found[model] = {"scores": numbers, "table": rows}
    return found


def store_page(_: Path, __: argparse.Namespace) -> Any:  # noqa: ANN401 - JSON
    """Look at the page."""
    from tests.stored_page import seen_page

    with served_app(**ONE_THREAD) as url:
        return seen_page(url, INPUTS, FILES)


def store_shots(folder: Path, _: argparse.Namespace) -> Any:  # noqa: ANN401 - JSON
    """Take a picture of each tab; what is compared are their sizes."""
    from tests.stored_page import take_shots

    with served_app(**ONE_THREAD) as url:
        files = take_shots(url, INPUTS["pair"], folder / "shots")
    return {path.name: struct.unpack(">II", path.read_bytes()[16:24]) for path in files}


PARTS: dict[str, Part] = {
    "api": store_api,
    "page": store_page,
    "help": store_help,
    "scores": store_scores,
    "shots": store_shots,
}
NEAR_OF = {"shots": 2.0}  # pixels


def short(value: Any) -> str:  # noqa: ANN401 - JSON
    """Write a value on a line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:120]}… ({len(text):,} characters)"


def parting(before: str, after: str) -> tuple[str, str]:
    """Return both texts from shortly before the place where they part."""
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    start = max(sum(1 for _ in alike) - 40, 0)
    return before[start : start + 120], after[start : start + 120]


def differences(where: str, before: Any, after: Any, near: float) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield a line for each difference; of a list of numbers one for all."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            if key not in after or key not in before:
                missing = "(not there)"
                told = before.get(key, missing), after.get(key, missing)
                yield f"{where} / {key}: {short(told[0])} -> {short(told[1])}"
            else:
                yield from differences(f"{where} / {key}", before[key], after[key], near)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        numbered = enumerate(zip(before, after, strict=True))
        lines = [
            line for at, pair in numbered for line in differences(f"{where}[{at}]", *pair, near)
        ]
        if len(lines) > 3 and not any(isinstance(one, str | dict) for one in before):
            lines = [f"{lines[0]} (and {len(lines) - 1:,} more beside it)"]
        yield from lines
    elif {type(before), type(after)} <= {int, float}:
        if before != after and not abs(before - after) <= near * (1 + NEAR):
            yield f"{where}: {before!r} -> {after!r}"
    elif before != after:
        texts = isinstance(before, str) and isinstance(after, str)
        told = parting(before, after) if texts else (before, after)
        yield f"{where}: {short(told[0])} -> {short(told[1])}"


def tell(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Make or compare the parts that are named; return 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.stored_answers", description=__doc__)
    parser.add_argument("what", choices=("make", "compare"))
    parser.add_argument("folder", type=Path, help="where the store is")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--data", type=Path, help="the course's files, for the scores")
    options = parser.parse_args()
    folder = options.folder if options.what == "make" else options.folder / "now"
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name in options.parts:
        begun, path = time.monotonic(), folder / f"{name}.json"
        found = PARTS[name](folder, options)
        text = json.dumps(found, ensure_ascii=True, indent=1) + "\n"
        path.write_text(text, encoding="utf-8")
        told = f"{name}: {len(text):,} bytes, {time.monotonic() - begun:.0f} s"
        if options.what == "compare":
            before = json.loads((options.folder / path.name).read_text(encoding="utf-8"))
            lines = list(differences(name, before, json.loads(text), NEAR_OF.get(name, NEAR)))
            count += len(lines)
            sys.stdout.writelines(f"{line}\n" for line in lines)
            told += f", {len(lines)} differences"
        tell(told)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
