"""The treebank's phrases: one tree worked by hand, what counts once, and what is never read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minbert.tables import DataError
from trainer.data.treebank import Phrase, parse_tree, read_phrases, read_trees, text_key

TREE = "(3 (2 (2 A) (2 (3 calm) (2 film))) (4 (2 ,) (4 (4 great) (2 fun))))"
BY_HAND = [  # label, words: every bracket, in the order in which they open
    (3, "A calm film , great fun"),
    (2, "A calm film"),
    (2, "A"),
    (2, "calm film"),
    (3, "calm"),
    (2, "film"),
    (4, ", great fun"),
    (2, ","),
    (4, "great fun"),
    (4, "great"),
    (2, "fun"),
]


def written(folder: Path, *trees: str) -> Path:
    """Write a file of trees."""
    path = folder / "train.txt"
    path.write_text("".join(tree + "\n" for tree in trees), encoding="utf-8")
    return path


def test_a_tree_by_hand() -> None:
    found = [(phrase.label, phrase.text) for phrase in parse_tree(TREE)]
    assert found == BY_HAND


def test_white_space_between_brackets_makes_no_difference() -> None:
    assert parse_tree(TREE.replace(" (", "  \t(").replace(")", " ) ")) == parse_tree(TREE)


def test_only_words_with_a_letter_or_digit_are_counted() -> None:
    assert Phrase(2, (",", "er", ",", "--", "3", "...")).length == 2
    assert Phrase(2, ("does", "n't", "-LRB-")).length == 3


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("(3 (2 a) (2 film)", "1 brackets are not closed"),
        ("(3 (2 a)) (2 b)", "a second tree on the line"),
        ("(3 (2 a)) b", "'b' outside any bracket"),
        ("(3 (2 a)))", "')' outside any bracket"),
        ("film", "'film' outside any bracket"),
        ("(5 film)", "a bracket should begin with a class, 0 to 4; found '5'"),
        ("((2 film))", "a bracket should begin with a class, 0 to 4; found '('"),
        ("(", "a bracket should begin with a class, 0 to 4; found 'nothing'"),
        ("(3 (2 ) film)", "a bracket without a word"),
        ("   ", "no tree"),
    ],
)
def test_what_is_no_tree_is_told(line: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_tree(line)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("inside", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
def test_a_tree_ends_at_a_line_break_alone(tmp_path: Path, end: str, inside: str) -> None:
    path = written(tmp_path)
    trees = (f"(3 (2 a{inside}b) (4 fine))", "(2 (2 plain)", "(2 film)")
    path.write_bytes((trees[0] + end + "(2 plain)" + end).encode())
    assert [len(tree) for tree in read_trees(path)] == [3, 1]
    path.write_bytes(end.join(trees).encode())
    with pytest.raises(DataError, match="line 2 should be a tree"):
        read_trees(path)


def test_a_broken_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, TREE, "", "(3 (2 a)")
    with pytest.raises(DataError, match=r"train\.txt, line 3 should be a tree\. Found 1 brackets"):
        read_trees(path)
    with pytest.raises(DataError, match=r"at least one tree\. Found none"):
        read_trees(written(tmp_path, "", " "))
    with pytest.raises(DataError, match=r"python -m trainer download"):
        read_trees(tmp_path / "elsewhere.txt")
    path.write_bytes(b"(3 \xff)\n")
    with pytest.raises(DataError, match="readable file of UTF-8"):
        read_trees(path)


def test_keys_ignore_case_spaces_and_escapes() -> None:
    same = {text_key(text) for text in ("A  film -LRB- 3\\/4 -RRB-", "a film ( 3/4 ) ")}
    assert len(same) == 1
    assert text_key("a film") != text_key("a films")


def test_sentences_are_kept_and_phrases_count_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        TREE,
        "(1 (1 A) (1 (1 Calm) (1 film)))",  # a whole sentence, and a phrase of the first tree
        "(4 (0 (0 so) (0 (0 very) (0 dull))) (4 (2 but) (4 (2 not) (2 long))))",
        "(2 (3 (2 So) (3 (2 very) (2 dull))) (2 (1 but) (2 (2 not) (2 long))))",
        "(0 (2 fine) (0 (3 (2 so) (2 (2 very) (2 dull))) (2 end)))",
        "(3 Yes)",
    )
    found = read_phrases(path, [], 3)
    texts = ["A calm film , great fun", "A Calm film"]
    texts += ["so very dull but not long", "So very dull but not long", "fine so very dull end"]
    assert [row.texts[0] for row in found.sentences] == [*texts, "Yes"]
    assert [row.label for row in found.sentences] == [3, 1, 4, 2, 0, 3]
    assert [(row.texts[0], row.label) for row in found.phrases] == [
        ("so very dull", 3.0),  # 0, 3 and 3: the commonest
        ("but not long", 4.0),  # 4 and 2: the first at a tie
        ("so very dull end", 0.0),
    ]
    ids = [row.id for row in (*found.sentences, *found.phrases)]
    assert len(set(ids)) == len(ids)
    assert found.held_out == 0
    inner = {text_key(p.text) for tree in read_trees(path) for p in tree[1:]}
    assert found.short == len(inner) - 1 - 3  # one of them is a sentence, three are kept


def test_fewer_words_let_more_phrases_in(tmp_path: Path) -> None:
    path = written(tmp_path, TREE)
    kept = {least: read_phrases(path, [], least) for least in (1, 2, 3, 4)}
    texts = {least: [row.texts[0] for row in found.phrases] for least, found in kept.items()}
    assert ", ".join(texts[1][:5]) == "A calm film, A, calm film, calm, film"
    assert texts[1][5:] == [", great fun", "great fun", "great", "fun"]
    assert texts[2] == ["A calm film", "calm film", ", great fun", "great fun"]
    assert (texts[3], texts[4]) == (["A calm film"], [])
    assert {least: found.short for least, found in kept.items()} == {1: 1, 2: 6, 3: 9, 4: 10}


def test_dev_and_test_sentences_never_train(tmp_path: Path) -> None:
    path = written(tmp_path, TREE, "(2 (2 It) (2 (2 is) (2 here)))")
    found = read_phrases(path, [" a  CALM film", "IT is here", "Never seen at all"], 3)
    assert [row.texts[0] for row in found.sentences] == ["A calm film , great fun"]
    assert found.phrases == []
    assert found.held_out == 2
    assert found.summary() == (
        "sst-trees/train.txt: 1 sentences and 0 phrases; left out: 13 short phrases, 2 that are "
        "dev or test sentences"
    )
    assert found.counts == {"sentences": 1, "phrases": 0, "short": 13, "held_out": 2}
