"""Text: the treebank's escapes, literal special tokens, the joint layout, truncation, padding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minbert.text import MASK, Batch, Encoded, Tokenizer, normalise, pad, truncate_longest_first
from tests.support import SPECIAL_TOKENS, assert_close


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-LRB- a film -RRB-", "( a film )"),
        ("-LSB-sic-RSB- -LCB-x-RCB-", "[sic] {x}"),
        ("`` good '' , he said", '" good " , he said'),
        ("does n't", "doesn't"),
        ("is n't , was n't", "isn't , wasn't"),
        ("ca N'T", "caN'T"),
        (r"and\/or 3 \*", "and/or 3 *"),
        ("  a \t film\n\nof  sorts ", "a film of sorts"),
        ("n't at the start", "n't at the start"),
        ("a 'quoted' word, the 1990s' best", "a 'quoted' word, the 1990s' best"),
        ("film-LRB-s-RRB-", "film(s)"),
        ("-LXB- -lrb-", "-LXB- -lrb-"),
        (r"a \ b \n", r"a \ b \n"),
        ("nothing to do.", "nothing to do."),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_normalise_by_hand(text: str, wanted: str) -> None:
    assert normalise(text) == wanted


def test_a_wide_gap_before_a_negation_is_closed_too() -> None:
    assert normalise("does  n't") == "doesn't"


@settings(derandomize=True, max_examples=60, database=None, deadline=None)
@given(
    st.lists(
        st.sampled_from(["-LRB-", "``", "''", "'", "`", "n't", "does", "\\/", "\\", " ", "é", "/"])
    ).map("".join)
)
def test_what_is_normalised_has_no_stray_space(text: str) -> None:
    found = normalise(text)
    assert found == " ".join(found.split())
    assert "-LRB-" not in found
    assert "``" not in found


def test_trainer_and_page_see_one_text(tokenizer: Tokenizer) -> None:
    treebank, typed = tokenizer.pieces(
        ["the film -LRB- is n't good -RRB-", "The film (isn't good)"]
    )
    assert treebank == typed
    assert tokenizer.tokens(treebank)[:3] == ["the", "film", "("]


@pytest.mark.parametrize(
    ("word", "spelt"),
    [
        ("film", ["film"]),
        ("films", ["film", "##s"]),
        ("zeal", ["z", "##e", "##a", "##l"]),
        ("CAFÉ", ["c", "##a", "##f", "##e"]),
        ("🙂", ["[UNK]"]),
    ],
)
def test_words_become_pieces(word: str, spelt: list[str], tokenizer: Tokenizer) -> None:
    (pieces,) = tokenizer.pieces([word])
    assert tokenizer.tokens(pieces) == spelt
    assert (tokenizer.unknown_id in pieces) == (spelt == ["[UNK]"])


LITERAL = [token for token in SPECIAL_TOKENS if token != MASK]


@pytest.mark.parametrize("typed", [*LITERAL, "[mask]", "[Mask]", "[MASK", "[ MASK ]"])
def test_typed_special_tokens_are_literal(typed: str, tokenizer: Tokenizer) -> None:
    text = f"the {typed} film {typed}"
    (pieces,) = tokenizer.pieces([text])
    single = tokenizer.single(pieces, 64)
    joint = tokenizer.joint(pieces, pieces, 64, token_types=True)
    assert single.ids.count(tokenizer.cls_id) == joint.ids.count(tokenizer.cls_id) == 1
    assert single.ids.count(tokenizer.sep_id) == 1
    assert joint.ids.count(tokenizer.sep_id) == 2
    assert tokenizer.pad_id not in joint.ids
    assert tokenizer.unknown_id not in joint.ids
    assert tokenizer.mask_id not in joint.ids
    letters = "".join(piece.removeprefix("##") for piece in tokenizer.tokens(pieces))
    assert letters == text.lower().replace(" ", "")


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("the [MASK] is good", ["the", "[MASK]", "is", "good"]),
        ("[MASK]", ["[MASK]"]),
        ("films[MASK][MASK]films", ["film", "##s", "[MASK]", "[MASK]", "film", "##s"]),
        ("the [[MASK]], -LSB-MASK-RSB-", ["the", "[", "[MASK]", "]", ",", "[MASK]"]),
    ],
)
def test_a_typed_mask_hides_a_word(text: str, spelt: list[str], tokenizer: Tokenizer) -> None:
    before, pieces, after = tokenizer.pieces(["a film", text, "a film"])
    assert tokenizer.tokens(pieces) == spelt
    assert before == after == tokenizer.pieces(["a film"])[0]
    joint = tokenizer.joint(pieces, pieces, 64, token_types=True)
    assert joint.ids.count(tokenizer.mask_id) == 2 * spelt.count(MASK)
    assert joint.ids.count(tokenizer.sep_id) == 2


def test_special_ids_are_those_of_the_vocabulary(tokenizer: Tokenizer) -> None:
    assert (tokenizer.pad_id, tokenizer.unknown_id) == (0, 1)
    assert (tokenizer.cls_id, tokenizer.sep_id) == (2, 3)


def test_the_single_layout_by_hand(tokenizer: Tokenizer) -> None:
    single = tokenizer.single([10, 11, 12], 8)
    assert single == Encoded([2, 10, 11, 12, 3], [0, 0, 0, 0, 0], 0)
    assert len(single) == 5


def test_a_long_single_keeps_its_end_mark(tokenizer: Tokenizer) -> None:
    single = tokenizer.single(list(range(10, 30)), 8)
    assert single.ids == [2, 10, 11, 12, 13, 14, 15, 3]
    assert single.token_types == [0] * 8
    assert single.left_out == 14


def test_the_joint_layout_by_hand(tokenizer: Tokenizer) -> None:
    joint = tokenizer.joint([10, 11], [20, 21, 22], 16, token_types=True)
    assert joint.ids == [2, 10, 11, 3, 20, 21, 22, 3]
    assert joint.token_types == [0, 0, 0, 0, 1, 1, 1, 1]
    assert joint.left_out == 0


def test_the_course_s_token_types_are_zeros(tokenizer: Tokenizer) -> None:
    joint = tokenizer.joint([10, 11], [20, 21, 22], 16, token_types=False)
    assert joint.ids == [2, 10, 11, 3, 20, 21, 22, 3]
    assert joint.token_types == [0] * 8


def test_a_long_joint_by_hand(tokenizer: Tokenizer) -> None:
    joint = tokenizer.joint(list(range(10, 20)), [20, 21, 22], 10, token_types=True)
    assert joint.ids == [2, 10, 11, 12, 13, 3, 20, 21, 22, 3]
    assert joint.token_types == [0] * 6 + [1] * 4
    assert joint.left_out == 6


def popped_one_by_one(first: int, second: int, budget: int) -> tuple[int, int]:
    """Truncate as BERT's own code does: drop the last piece of the longer text, B's on a tie."""
    while first + second > budget:
        if first > second:
            first -= 1
        else:
            second -= 1
    return first, second


@settings(derandomize=True, max_examples=300, database=None, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(5, 40))
def test_truncation_is_the_naive_loop_s(first: int, second: int, budget: int) -> None:
    kept = truncate_longest_first(first, second, budget)
    assert kept == popped_one_by_one(first, second, budget)


@settings(derandomize=True, max_examples=80, database=None, deadline=None)
@given(st.integers(0, 90), st.integers(0, 90), st.integers(8, 64), st.booleans())
def test_a_joint_input_is_always_whole(
    first: int, second: int, max_length: int, token_types: bool
) -> None:
    a, b = [10] * first, [20] * second
    joint = SHARED_TOKENIZER.joint(a, b, max_length, token_types=token_types)
    kept_first, kept_second = popped_one_by_one(first, second, max_length - 3)
    assert joint.ids == [2, *[10] * kept_first, 3, *[20] * kept_second, 3]
    assert len(joint) == min(first + second + 3, max_length)
    assert len(joint.token_types) == len(joint.ids)
    assert joint.left_out == first + second + 3 - len(joint)
    assert sum(joint.token_types) == (kept_second + 1 if token_types else 0)


class _WithoutVocabulary(Tokenizer):
    """A tokenizer's layouts alone: hypothesis calls a test often, a fixture would be shared."""

    def __init__(self) -> None:
        self.cls_id, self.sep_id = 2, 3


SHARED_TOKENIZER = _WithoutVocabulary()


def test_the_inputs_of_a_layout_stay_as_they_were(tokenizer: Tokenizer) -> None:
    first, second = list(range(10, 40)), list(range(40, 60))
    tokenizer.joint(first, second, 12, token_types=True)
    tokenizer.single(first, 12)
    assert first == list(range(10, 40))
    assert second == list(range(40, 60))


def test_empty_texts(tokenizer: Tokenizer) -> None:
    assert tokenizer.pieces([]) == []
    assert tokenizer.pieces(["", "  "]) == [[], []]
    assert tokenizer.single([], 8).ids == [2, 3]
    assert tokenizer.joint([], [], 8, token_types=True) == Encoded([2, 3, 3], [0, 0, 1])
    assert tokenizer.joint([], [10], 8, token_types=True).ids == [2, 3, 10, 3]


def test_ten_thousand_words(tokenizer: Tokenizer) -> None:
    (pieces,) = tokenizer.pieces(["films " * 10_000])
    assert len(pieces) == 20_000
    assert tokenizer.single(pieces, 48).left_out == 20_000 - 46
    joint = tokenizer.joint(pieces, pieces, 48, token_types=True)
    assert len(joint) == 48
    assert joint.left_out == 40_000 - 45
    assert [position for position, index in enumerate(joint.ids) if index == 3] == [24, 47]


def test_padding_by_hand() -> None:
    batch = pad([Encoded([2, 7, 3], [0, 0, 0]), Encoded([2, 3, 8, 9, 3], [0, 0, 1, 1, 1])])
    assert batch.input_ids.tolist() == [[2, 7, 3, 0, 0], [2, 3, 8, 9, 3]]
    assert batch.attention_mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batch.token_type_ids.tolist() == [[0, 0, 0, 0, 0], [0, 0, 1, 1, 1]]
    assert batch.input_ids.dtype == torch.long
    assert batch.tokens == 8


def test_padding_with_another_id() -> None:
    batch = pad([Encoded([2, 3], [0, 0]), Encoded([2, 7, 3], [0, 0, 0])], pad_id=5)
    assert batch.input_ids.tolist() == [[2, 3, 5], [2, 7, 3]]
    assert batch.attention_mask.tolist() == [[1, 1, 0], [1, 1, 1]]


def test_nothing_can_t_be_padded() -> None:
    with pytest.raises(ValueError, match="`inputs` should hold at least one encoded text"):
        pad([])


def test_a_batch_moves_to_a_device() -> None:
    batch = pad([Encoded([2, 7, 3], [0, 1, 1])])
    moved = batch.to(torch.device("meta"))
    assert isinstance(moved, Batch)
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        assert getattr(moved, name).device.type == "meta"
        assert_close(getattr(batch.to(torch.device("cpu")), name), getattr(batch, name), 0.0)


def test_half_an_emoji_is_read_as_an_unknown_character(tokenizer: Tokenizer) -> None:
    assert normalise("half \ud83d here") == "half \ufffd here"
    assert normalise("whole \ud83d\ude00") == "whole 😀"
    assert tokenizer.pieces(["half \ud83d here"])[0]
