"""The claims: verdicts by hand, speed by hand, runs compared, what is missing told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from minbert.records.runs import Comparison, CurvePoint, Run
from tests.support import assert_says
from trainer.reproduction import claims
from trainer.reproduction.claims import CLAIMS, SST, STS, TASKS, Claim, compare, judge, tokens_to
from trainer.reproduction.intervals import Difference, paired_accuracy, paired_pearson

UP = Difference(0.02, 0.01, 0.03, 100)
DOWN = Difference(-0.02, -0.03, -0.01, 100)
EVEN = Difference(0.0, -0.02, 0.02, 100)
CLOSE = Difference(-0.001, -0.009, 0.009, 100)
UNDEFINED = Difference(None, None, None, 100)
KNOWN = """
baseline cls_pretraining mean_pretraining contrastive one_epoch surgery cosine round_robin annealed
full_pass dropout_03 no_pretraining cls_raw_pretraining mlm_cls_pretraining mlm_mean_pretraining all
all_without_pretraining all_without_mean all_without_annealed all_without_cosine masked pals
all_without_contrastive all_without_surgery dropout_on_pretraining
"""
ROWS = KNOWN.split()
N = {"sentiment": 400, "paraphrase": 600, "similarity": 300}
LABELS: dict[str, list[float]] = {
    "sentiment": [float(k % 5) for k in range(N["sentiment"])],
    "paraphrase": [float(k % 3 == 0) for k in range(N["paraphrase"])],
    "similarity": [(k % 11) / 2 for k in range(N["similarity"])],
}


def claim(rule: str = "better", metrics: tuple[str, ...] = TASKS, b: str = "old") -> Claim:
    return Claim("some", "Some claim", "new", tuple(b.split()), metrics, rule)


def run(row: str, seed: int = 0, **changed: object) -> Run:
    """Return a run whose curve rises from .6 to .7, but for changes."""
    told = {"row": row, "seed": seed, "profile": "cpu", "machine": "M", "curve": curve()}
    return Run.model_validate({**told, "table": "dev", "metrics": {}, **changed})


def curve(late: float = 0, speed: float = 1, best: float = 0.7) -> list[dict[str, float]]:
    """Return a curve of two epochs: minutes later, more tokens per score, its last score."""
    tokens = [1_000_000 / speed, 2_000_000 / speed]
    epochs = zip((1, 2), tokens, (10.0 + late, 20.0 + late), (0.6, best), strict=True)
    return [dict(zip(("epoch", "tokens", "minutes", "normalised"), e, strict=True)) for e in epochs]


def predicted(wrong: float, seed: int = 0) -> dict[str, Any]:
    """Return predictions of which a share is wrong, the scores with noise of that size."""
    generator = np.random.default_rng(seed)

    def digits(task: str, classes: int) -> str:
        drawn = np.array(LABELS[task], dtype=int) + (generator.random(N[task]) < wrong)
        return "".join(str(digit) for digit in drawn % classes)

    noise = 5 * wrong * generator.normal(size=N["similarity"])
    return {
        "sentiment": digits("sentiment", 5),
        "paraphrase": digits("paraphrase", 2),
        "similarity": (np.array(LABELS["similarity"]) + noise).tolist(),
        "files": {"sst": "1", "quora": "2", "sts": "3"},
    }


def entry_of(found: list[Comparison], name: str) -> dict[str, Any]:
    return next(entry for entry in found if entry.claim == name).to_dict()


@pytest.mark.parametrize(
    ("rule", "difference", "wanted"),
    [
        ("better", UP, "held"),
        ("better", DOWN, "did not hold"),
        ("better", EVEN, "undecided"),
        ("better", Difference(0.01, 0.0, 0.02, 9), "undecided"),
        ("better", UNDEFINED, "undecided"),
        ("better", Difference(0.5, None, None, 9), "undecided"),
        ("lower", UP, "did not hold"),
        ("lower", DOWN, "held"),
        ("lower", EVEN, "undecided"),
        ("no better", UP, "did not hold"),
        ("no better", DOWN, "held"),
        ("no better", CLOSE, "held"),
        ("no better", EVEN, "undecided"),
        ("no better", Difference(0.002, 0.001, 0.003, 9), "did not hold"),
        ("no better", Difference(0.0, -0.01, 0.01, 9), "undecided"),
        ("no better", UNDEFINED, "undecided"),
    ],
)
def test_verdicts_on_one_metric(rule: str, difference: Difference, wanted: str) -> None:
    assert judge(claim(rule, (SST,)), {SST: difference})[0] == wanted


@pytest.mark.parametrize(
    ("differences", "wanted"),
    [
        ((UP, UP, UP), "held"),
        ((UP, EVEN, UP), "undecided"),
        ((UP, UNDEFINED, UP), "undecided"),
        ((UP, UP, DOWN), "did not hold"),
        ((DOWN, UNDEFINED, EVEN), "did not hold"),
    ],
)
def test_a_claim_over_several_tasks_holds_only_on_all(
    differences: tuple[Difference, ...], wanted: str
) -> None:
    verdict, why = judge(claim(), dict(zip(TASKS, differences, strict=True)))
    assert verdict == wanted
    assert all(task in why for task in TASKS)


def test_why_tells_each_task_with_its_interval() -> None:
    _, why = judge(claim(), dict(zip(TASKS, (UP, DOWN, UNDEFINED), strict=True)))
    assert why == (
        "sentiment accuracy +.020 [+.010, +.030]: as claimed; "
        "paraphrase accuracy -.020 [-.030, -.010]: the other way; "
        "similarity pearson undefined: undecided"
    )


def test_a_task_that_was_not_scored_leaves_a_claim_undecided() -> None:
    verdict, why = judge(claim(), {SST: UP})
    assert verdict == "undecided"
    assert "similarity pearson not scored" in why


def test_against_several_rows_a_claim_holds_only_against_all() -> None:
    one = claim(metrics=(SST,), b="x y")
    names = list(one.names())
    assert names == ["sentiment accuracy against x", "sentiment accuracy against y"]
    assert judge(one, dict.fromkeys(names, UP))[0] == "held"
    assert judge(one, {names[0]: UP, names[1]: EVEN})[0] == "undecided"
    assert judge(one, {names[0]: UP, names[1]: DOWN})[0] == "did not hold"


@pytest.mark.parametrize(
    ("seeds", "minutes", "wanted"),
    [
        (3, (-5.0, -6.0, -4.0), "held"),
        (2, (-5.0, -6.0, -4.0), "undecided"),
        (3, (-1.0, -6.0, 4.0), "undecided"),
        (3, (5.0, 4.0, 6.0), "did not hold"),
        (1, (5.0, 5.0, 5.0), "undecided"),
    ],
)
def test_speed_is_decided_by_three_seeds_that_agree(
    seeds: int, minutes: tuple[float, float, float], wanted: str
) -> None:
    found = (Difference(-0.5, -0.6, -0.4, seeds), Difference(*minutes, seeds))
    differences = dict(zip(claims.SPEED, found, strict=True))
    assert judge(claim("faster", claims.SPEED), differences)[0] == wanted


def test_tokens_to_a_score_by_hand() -> None:
    points = (
        (100, 1.0, 0.2),
        *((150, 1.5, None), (200, 3.0, 0.4)),
        *((300, 5.0, 0.3), (400, 9.0, 0.7)),
    )
    grown = [CurvePoint(epoch=0, tokens=t, minutes=m, sentiment=s) for t, m, s in points]
    assert tokens_to(grown, "sentiment", 0.35) == pytest.approx((175, 2.5))
    assert tokens_to(grown, "sentiment", 0.4) == pytest.approx((200, 3.0))
    assert tokens_to(grown, "sentiment", 0.6) == pytest.approx((375, 8.0))
    assert tokens_to(grown, "sentiment", 0.1) == (100, 1.0)
    assert tokens_to(grown, "sentiment", 0.8) is None
    assert tokens_to([], "sentiment", 0.1) is None


def test_speed_between_two_runs_by_hand() -> None:
    # both reach .7; the score is .69, at .9 and .45 of the way
    slow, fast = run("old"), run("new", curve=curve(late=3, speed=2, best=0.8))
    tokens = claims.speed_difference("million tokens", [fast], [slow])
    minutes = claims.speed_difference("minutes", [fast], [slow])
    assert tokens is not None
    assert minutes is not None
    assert tokens.value == pytest.approx(0.5 + 0.45 * 0.5 - 1.9)
    assert minutes.value == pytest.approx(3 + 14.5 - 19)
    assert claims.speed_difference("minutes", [fast], [run("old", machine="other")]) is None
    assert claims.speed_difference("million tokens", [fast], [run("old", curve=[])]) is None


def test_speed_over_seeds_is_mean_least_and_most() -> None:
    early, late = run("new"), run("new", 1, curve=curve(late=6))
    found = claims.speed_difference("minutes", [early, late], [run("old"), run("old", 1)])
    assert found is not None
    assert (found.value, found.low, found.high, found.n) == pytest.approx((3, 0, 6, 2))


def test_no_runs_leave_every_claim_undecided() -> None:
    found = compare([], {}, LABELS)
    assert [entry.claim for entry in found] == [one.id for one in CLAIMS]
    assert {entry.verdict for entry in found} == {"undecided"}
    assert entry_of(found, "dropout")["why"] == "not run yet: row round_robin, row dropout_03"
    told = [entry.to_dict() for entry in found]
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_claims_name_known_rows_and_each_has_its_own_id() -> None:
    assert {row for one in CLAIMS for row in (one.a, *one.b)} == set(ROWS)
    assert len({one.id for one in CLAIMS}) == len(CLAIMS)


def test_runs_are_compared_over_the_seeds_that_both_have() -> None:
    runs = [run("round_robin", k) for k in (0, 1, 2)] + [run("dropout_03", k) for k in (1, 2, 5)]
    good = {f"round_robin-{k}": predicted(0.1, k) for k in range(3)}
    bad = {f"dropout_03-{k}": predicted(0.4, 10 + k) for k in (1, 2, 5)}
    entry = entry_of(compare(runs, {**good, **bad}, LABELS), "dropout")
    assert (entry["a"], entry["b"]) == ("round_robin", "dropout_03")
    assert (entry["seeds"], entry["verdict"]) == ([1, 2], "held")

    def column(row: str, task: str) -> np.ndarray:
        return np.array([[float(x) for x in {**good, **bad}[f"{row}-{k}"][task]] for k in (1, 2)])

    def hits(row: str) -> np.ndarray:
        return column(row, "sentiment") == np.array(LABELS["sentiment"])

    wanted = paired_accuracy(hits("round_robin"), hits("dropout_03"))
    assert Difference(**entry["differences"][SST]) == wanted
    scores = [column(row, "similarity") for row in ("round_robin", "dropout_03")]
    assert Difference(**entry["differences"][STS]) == paired_pearson(*scores, LABELS["similarity"])


def test_a_claim_the_other_way_round_does_not_hold_and_one_seed_is_told() -> None:
    predictions = {"round_robin-0": predicted(0.4, 1), "dropout_03-0": predicted(0.1, 2)}
    found = compare([run("round_robin"), run("dropout_03")], predictions, LABELS)
    entry = entry_of(found, "dropout")
    assert entry["verdict"] == "did not hold"
    assert_says(entry["why"], found="seed 0 alone")


def test_every_claim_is_compared_where_every_row_is_there() -> None:
    predictions = {f"{row}-0": predicted(0.2, k) for k, row in enumerate(ROWS)}
    found = compare([run(row) for row in ROWS], predictions, LABELS)
    for entry, one in zip(found, CLAIMS, strict=True):
        assert list(entry.differences) == list(one.names())
        assert entry.seeds == (0,)
    b = entry_of(found, "cosine_best_dev_row")["b"]
    assert b == "baseline, cls_pretraining, mean_pretraining, contrastive, surgery"


def test_a_missing_row_leaves_a_claim_undecided_but_tells_the_others() -> None:
    predictions = {"cosine-0": predicted(0.1, 1), "surgery-0": predicted(0.5, 2)}
    found = compare([run("cosine"), run("surgery")], predictions, LABELS)
    entry = entry_of(found, "cosine_best_dev_row")
    assert entry["verdict"] == "undecided"
    assert entry["why"].startswith("not run yet: row baseline, row cls_pretraining")
    assert set(entry["differences"]) == {f"{task} against surgery" for task in TASKS}


@pytest.mark.parametrize("fault", ["profile", "files", "predictions", "seed"])
def test_runs_that_can_not_be_paired_are_not(fault: str) -> None:
    changed = {fault: 4 if fault == "seed" else "4"} if fault in ("profile", "seed") else {}
    runs = [run("round_robin"), run("dropout_03", **changed)]
    predictions = {f"{one.row}-0": predicted(0.2, k) for k, one in enumerate(runs)}
    if fault == "predictions":
        del predictions["dropout_03-0"]
    elif fault == "files":
        predictions["dropout_03-0"]["files"] = {"sst": "1", "quora": "other"}
    entry = entry_of(compare(runs, predictions, LABELS), "dropout")
    assert (entry["seeds"], entry["differences"], entry["verdict"]) == ([], {}, "undecided")
    assert entry["why"].startswith("no seed with predictions")


def test_a_task_that_one_run_did_not_score_is_left_out() -> None:
    predictions = {f"{row}-0": predicted(0.2, k) for k, row in enumerate(ROWS[:2])}
    del predictions["baseline-0"]["paraphrase"]
    predictions["baseline-0"]["similarity"][3] = None  # what was no number
    entry = entry_of(compare([run(r) for r in ROWS[:2]], predictions, LABELS), "adds_pretraining")
    assert list(entry["differences"]) == [SST, STS]
    assert entry["differences"][STS] == {"value": None, "low": None, "high": None, "n": 300}
    assert_says(entry["why"], found="paraphrase accuracy not scored")


def test_predictions_of_another_length_are_refused() -> None:
    predictions = {f"{row}-0": predicted(0.2, k) for k, row in enumerate(ROWS[:2])}
    predictions["baseline-0"]["sentiment"] += "0"
    with pytest.raises(ValueError, match=r"baseline-0 should hold 400 sentiment.*Found 401"):
        compare([run(row) for row in ROWS[:2]], predictions, LABELS)


def test_speed_needs_no_predictions_and_the_later_of_two_records_counts() -> None:
    runs = [run("surgery"), run("round_robin", curve=[]), run("round_robin")]
    entry = entry_of(compare(runs, {}, LABELS), "surgery_faster")
    assert [found["value"] for found in entry["differences"].values()] == [0.0, 0.0]
    assert (entry["seeds"], entry["verdict"]) == ([0], "undecided")


def test_an_unknown_rule_or_a_row_against_itself_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`rule` should be one of better, lower.*Found 'best'"):
        claim("best")
    for row in ("new", ""):
        with pytest.raises(ValueError, match="`b` should name rows other than new"):
            claim(b=row)
