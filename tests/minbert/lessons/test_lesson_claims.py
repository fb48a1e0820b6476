"""Claims: measured as the API answers, judged with their margin, and true of the shipped models."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.explain.heads_summary import summarise_heads
from minbert.lessons import FILE, MARGIN, Judge, Lesson, LessonError, read_lessons
from minbert.lessons.__main__ import main
from minbert.lessons.lesson import Claim
from minbert.lessons.quantities import quantity_of
from minbert.predictor import Predictor
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.try_it.events import Handlers
from tests.minbert.ui.sample_engine import tiny_engine
from tests.support import assert_says

ASSETS = Path(__file__).parents[3] / "assets"
LESSONS = read_lessons(ASSETS / FILE)
A, B, C = "the cat sleeps in the park", "a dog runs", "a dull film"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def models(tiny: Engine) -> dict[str, Predictor]:
    return {"mean": tiny.mean, "cls": tiny.cls}


@pytest.fixture(scope="module")
def shipped() -> Judge:
    folders = {name: ASSETS / "models" / name for name in ("mean", "cls")}
    return Judge({name: Predictor.from_pretrained(path, "cpu") for name, path in folders.items()})


def claim(
    name: str, comparison: str, threshold: float | str, less: tuple[str, str] | None = None
) -> Claim:
    quantity = quantity_of(name)
    assert quantity is not None
    return Claim(quantity, comparison, threshold, less)


def lesson(*claims: Claim, second: str = B) -> Lesson:
    return Lesson("one", "One", A, second, "try", "Look.", claims)


def value(models: dict[str, Predictor], name: str, less: tuple[str, str] | None = None) -> float:
    (verdict,) = Judge(models).judge(lesson(claim(name, "above", 0.0, less)))
    assert isinstance(verdict.found, float)
    return verdict.found


def test_quantities_are_what_the_api_answers(tiny: Engine, models: dict[str, Predictor]) -> None:
    told = Handlers(tiny).compare_pooling(A, B)
    for name in ("mean", "cls"):
        api = told[name]
        for place, sentence in enumerate(("first", "second")):
            of_sentence = api["sentiment"][place]
            wanted = {"expected": of_sentence["expected"], **of_sentence["probabilities"]}
            found = {key: value(models, f"{name}.{sentence}.{key}") for key in wanted}
            assert found == pytest.approx(wanted, abs=1e-5)
        paraphrase, similarity = api["paraphrase"], api["similarity"]
        pair = {
            "paraphrase": paraphrase["probability"],
            "paraphrase_ab": paraphrase["a_then_b"],
            "paraphrase_ba": paraphrase["b_then_a"],
            "score": similarity["score"],
            "joint": similarity["raw_joint"],
            "siamese": similarity["raw_siamese"],
        }
        assert {key: value(models, f"{name}.pair.{key}") for key in pair} == pytest.approx(
            pair, abs=1e-5
        )
        heads = summarise_heads(models[name].attention(A, B))
        assert heads.a_to_b is not None
        assert value(models, f"{name}.attention.layer2.to_sep") == pytest.approx(
            heads.to_sep[1].mean().item()
        )
        assert value(models, f"{name}.attention.layer1.head2.a_to_b") == pytest.approx(
            heads.a_to_b[0, 1].item()
        )


def test_differences(models: dict[str, Predictor]) -> None:
    mean, cls = (value(models, f"{name}.first.expected") for name in ("mean", "cls"))
    assert value(models, "mean_less_cls.first.expected") == pytest.approx(mean - cls)
    (other,) = models["mean"].sentiment([C])
    less = value(models, "mean.first.expected", (C, ""))
    assert less == pytest.approx(mean - other.expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("mean.first.expected", 4),
        ("cls.pair.paraphrase", 1),
        ("mean.pair.siamese", 5),
        ("mean.attention.layer1.to_sep", 1),
    ],
)
def test_a_claim_needs_a_tenth_of_what_its_quantity_spans(
    models: dict[str, Predictor], name: str, span: float
) -> None:
    found = value(models, name)
    near, far = 0.099 * span, 0.101 * span
    claims = [
        *(claim(name, "above", found - far), claim(name, "below", found + far)),
        *(claim(name, "above", found - near), claim(name, "below", found + near)),
        *(claim(name, "above", found + near), claim(name, "below", found - near)),
    ]
    verdicts = Judge(models).judge(lesson(*claims))
    assert [one.holds for one in verdicts] == [True, True, False, False, False, False]
    assert [one.margin > 0 for one in verdicts] == [True, True, True, True, False, False]


def test_a_class_has_to_lead_by_the_margin(models: dict[str, Predictor]) -> None:
    first, _ = models["cls"].answer(A, B)[0]
    ranked = sorted(first.probabilities, reverse=True)
    best, worst = (SENTIMENT.labels[first.probabilities.index(p)] for p in (ranked[0], ranked[-1]))
    claims = [
        claim("cls.first.label", how, label) for how in ("is", "is not") for label in (best, worst)
    ]
    verdicts = Judge(models).judge(lesson(*claims))
    assert {verdict.found for verdict in verdicts} == {best}
    assert [verdict.margin for verdict in verdicts] == pytest.approx(
        [ranked[0] - ranked[1], ranked[-1] - ranked[0], 0.0, ranked[0] - ranked[-1]], abs=1e-5
    )


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("mean.attention.layer9.to_sep", "a layer from 1 to 2"),
        ("cls.attention.layer1.head9.to_sep", "a head from 1 to 4"),
    ],
)
def test_a_layer_or_head_that_is_not_there(
    models: dict[str, Predictor], name: str, rule: str
) -> None:
    with pytest.raises(LessonError) as caught:
        value(models, name)
    assert_says(caught.value, parameter="`quantity`", rule=rule, found=name)


@pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.id)
def test_the_shipped_models_keep_what_the_lesson_says(shipped: Judge, one: Lesson) -> None:
    """A new checkpoint that fails here needs another sentence or another line in the lesson."""
    verdicts = shipped.judge(one)
    assert verdicts
    assert [str(verdict) for verdict in verdicts if not verdict.holds] == []


def test_the_first_lesson_is_one_where_the_poolings_disagree() -> None:
    first, *_ = LESSONS
    assert first.view.startswith("try")
    assert any(each.quantity.model == "mean_less_cls" for each in first.claims)
    assert 6 <= len(LESSONS) <= 8


def test_a_claim_turned_round_fails(shipped: Judge) -> None:
    first, *_ = LESSONS
    turned = {"above": "below", "below": "above", "is": "is not", "is not": "is"}
    claims = [Claim(c.quantity, turned[c.comparison], c.threshold, c.less) for c in first.claims]
    verdicts = shipped.judge(Lesson("x", "X", first.first, first.second, "try", "", tuple(claims)))
    assert [verdict.holds for verdict in verdicts] == [False] * len(claims)


def test_the_command_measures_each_claim(
    tiny: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, predictor in (("mean", tiny.mean), ("cls", tiny.cls)):
        predictor.model.save_pretrained(tmp_path / name)
    path = tmp_path / "lessons.toml"
    text = (
        f'[[lesson]]\nid = "one"\ntitle = "One"\nfirst = "{A}"\nview = "try"\nsee = "Look."\n'
        '[[lesson.claim]]\nquantity = "cls.first.expected"\ncomparison = "above"\nthreshold = -9\n'
    )
    path.write_text(text, encoding="utf-8")
    command = [str(path), "--models", str(tmp_path)]
    assert main(command) == 0
    assert "one: cls.first.expected above -9.0" in capsys.readouterr().out
    path.write_text(text.replace("-9", "9"), encoding="utf-8")
    assert main(command) == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out
    path.write_text(text.replace('"try"', '"tries"'), encoding="utf-8")
    assert main(command) == 2
    assert_says(capsys.readouterr().err, parameter="`view`", found="tries")
    assert MARGIN == 0.10
