"""What /v1 answers, as types; the keys are those of gradio's endpoints of the same names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

LeftOut = Annotated[int, Field(ge=0, description="Word pieces that were cut.")]
Score = Annotated[float, Field(ge=0, le=5)]
Probability = Annotated[float, Field(ge=0, le=1)]


class Sentiment(BaseModel):
    """One sentence's mood."""

    label: str
    probabilities: dict[str, Probability]
    expected: Annotated[float, Field(description="Expected rating, 0 to 4.")]
    left_out: LeftOut


class Paraphrase(BaseModel):
    """Whether two sentences mean the same."""

    label: str
    probability: Probability
    a_then_b: Probability
    b_then_a: Probability
    left_out: LeftOut


class Similarity(BaseModel):
    """How alike two sentences are, 0 to 5; `raw` ones are the model's own, not clamped."""

    score: Score
    band: str
    joint: Score
    joint_a_then_b: Score
    joint_b_then_a: Score
    siamese: Score
    raw: float
    raw_joint: float
    raw_joint_a_then_b: float
    raw_joint_b_then_a: float
    raw_siamese: float
    left_out: LeftOut


class Prediction(BaseModel):
    """All three tasks, by one model; of one sentence its sentiment alone."""

    sentiment: list[Sentiment]
    paraphrase: Paraphrase | None = None
    similarity: Similarity | None = None


class Comparison(BaseModel):
    """Both models' answers, and how they differ in words."""

    cls: Prediction
    mean: Prediction
    differences: list[str]
    names: Annotated[
        dict[str, str] | None,
        Field(description="Of your own models alone: each one's pooling, by cls and mean."),
    ] = None


class AttentionMaps(BaseModel):
    """Attention maps of one sentence, or of the joint pair."""

    tokens: list[str]
    segments: Annotated[list[int], Field(description="0 for A, 1 for B, of each token.")]
    layers: list[int]
    weights: Annotated[
        list[Any], Field(description="(H, T, T) of `layer`, or (L, H, T, T) of `layers`.")
    ]
    left_out: LeftOut


class WordScore(BaseModel):
    """One word and its number."""

    word: str
    score: float


class Completeness(BaseModel):
    """The sum of the scores against what they should sum to."""

    total: float
    value: float
    blank: float
    gap: float


class Explanation(BaseModel):
    """What each word does for an answer."""

    task: str
    target: str
    method: str
    signed: bool
    first: list[WordScore]
    second: list[WordScore]
    skipped: Annotated[int, Field(description="Words that were not tried.")]
    left_out: LeftOut
    completeness: Completeness | None


class Split(BaseModel):
    """The cosine of two sentences, word by word."""

    first: list[str]
    second: list[str]
    matrix: list[list[float]]
    cosine: float
    score: Score
    raw: Annotated[float, Field(description="The score, not clamped.")]
    formula: str
    left_out: Annotated[list[int], Field(description="Word pieces of A and of B that were cut.")]


class BadRow(BaseModel):
    """A row that can't be answered."""

    line: int
    reason: str


class Table(BaseModel):
    """All rows of a table, and their scores where they have labels."""

    kind: str
    model: str
    rows: list[dict[str, Any]]
    bad_rows: list[BadRow]
    bad_labels: Annotated[list[BadRow], Field(description="Answered, and not scored.")]
    columns: Annotated[
        dict[str, str] | None, Field(description="By what each is read as; null: no table.")
    ]
    taken_for: Annotated[list[str], Field(description="What was taken for what, in words.")]
    scores: dict[str, Any] | None


class Range(BaseModel):
    """A number and its interval of 95 %, over the rows that were tested."""

    value: float
    low: float
    high: float


class LabelMistake(BaseModel):
    """A row whose answer isn't its label."""

    row: Annotated[int, Field(description="Place in the lists, from 1.")]
    label: str
    answer: str
    probability: Annotated[Probability, Field(description="Of the answer.")]


class LabelPoint(BaseModel):
    """What so many labels are worth."""

    rows: Annotated[int, Field(description="Learned from.")]
    accuracy: Range


class LabelSide(BaseModel):
    """One pooling on your labels; each row was tested by a fit that hadn't seen it."""

    pooling: str
    accuracy: Range
    macro_f1: Range
    confusion: Annotated[list[list[int]], Field(description="Rows by label, then answer.")]
    mistakes: Annotated[list[LabelMistake], Field(description="The surest first.")]
    curve: list[LabelPoint]
    curve_told: Annotated[str, Field(description="How many labels it takes, in words.")]
    cut: Annotated[int, Field(description="Texts longer than the model reads.")]


class LabelDifference(BaseModel):
    """Accuracy of the mean model less the CLS model's, on the same rows."""

    value: float
    low: float
    high: float
    won: Annotated[int, Field(description="Rows that the mean model alone gets right.")]
    lost: Annotated[int, Field(description="Rows that the CLS model alone gets right.")]
    p: Annotated[Probability, Field(description="Exact McNemar test.")]
    kind: Annotated[str, Field(description="better, worse, may be chance, no difference.")]


class LabelBaseline(BaseModel):
    """Always the most frequent class."""

    label: str
    accuracy: Range


class LeftOutRow(BaseModel):
    """A row that can't be used."""

    row: Annotated[int, Field(description="Place in the lists, from 1.")]
    reason: str


class LabelComparison(BaseModel):
    """Both poolings on your labels: logistic regression on frozen embeddings."""

    rows: Annotated[int, Field(description="Used; what is left out isn't counted.")]
    classes: list[str]
    counts: Annotated[list[int], Field(description="Rows of each class.")]
    mean: LabelSide
    cls: Annotated[LabelSide | None, Field(description="null: there is one model.")]
    difference: LabelDifference | None
    verdict: Annotated[str, Field(description="What it comes to, in words.")]
    baseline: LabelBaseline
    folds: int
    inverse_l2: Annotated[float, Field(description="scikit-learn's C.")]
    left_out: list[LeftOutRow]
    repeats: Annotated[int, Field(description="Rows that repeat others, counted once.")]
    contradictions: Annotated[
        list[list[int]], Field(description="Rows of one sentence with several labels.")
    ]
    notes: list[str]
    names: Annotated[dict[str, str], Field(description="Each model's pooling, by mean and cls.")]


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    loc: Annotated[list[str | int], Field(description="Where: body, then the field.")]
    msg: str
    type: str


class Refusal(BaseModel):
    """Why a request isn't answered."""

    detail: list[Fault]
