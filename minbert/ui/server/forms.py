"""What programs send: one form for each endpoint, checked alike by gradio's API and by /v1."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from minbert.records.form import kind_of

Task = Literal["sentiment", "paraphrase", "similarity"]
Method = Literal["integrated gradients", "gradient", "occlusion", "rollout"]
Rows = Literal["auto", "sentiment", "pairs"]
KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def whole(value: object) -> object:
    """Return 3.0 as 3: JSON has one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def readable(value: str) -> str:
    """Return a text that can be written as UTF-8; half a surrogate pair can't."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("unicode", "half a surrogate pair")
    return value


def as_text(value: object) -> object:
    """Return a whole number as a text: the names of classes may be numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Whole = Annotated[int, BeforeValidator(whole)]
Text = Annotated[str, AfterValidator(readable)]
Label = Annotated[Text, BeforeValidator(as_text)]
First = Annotated[Text, Field(description="Sentence A.")]
Second = Annotated[Text, Field(description="Sentence B; empty for A alone.")]


class Form(BaseModel):
    """The inputs of an endpoint, in the order in which gradio's API takes them."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Question(Form):
    """One sentence, or two."""

    first: First
    second: Second = ""


class Attention(Question):
    """Which maps of a question."""

    layer: Annotated[Whole, Field(description="1 for the lowest; counts without `layers`.")] = 1
    layers: Annotated[
        list[Whole] | None, Field(description="Several layers; an empty list for all.")
    ] = None
    model: Annotated[Text, Field(description="mean, cls, or untuned where it was loaded.")] = "mean"


class Explain(Question):
    """Which answer to a question, and how to explain it."""

    task: Task = "sentiment"
    target: Annotated[
        Text | Whole,
        Field(
            description="Empty for the answer itself; a class's name or number, or expected; "
            "joint, siamese or mean similarity."
        ),
    ] = ""
    method: Method = "integrated gradients"


class Pair(Form):
    """Two sentences."""

    first: First
    second: Annotated[Text, Field(description="Sentence B.")]


class Sentences(Form):
    """A set of sentences, to compare each with each."""

    sentences: Annotated[list[Text], Field(description="1 to 50 texts.")]
    pooling: Text = "mean"


class Batch(Form):
    """A table, as text."""

    text: Annotated[Text, Field(description="Rows with a header, or one sentence a line.")]
    task: Annotated[Rows, Field(description="auto: as the columns say.")] = "auto"
    model: Annotated[Text, Field(description="mean or cls, the pooling.")] = "mean"
    columns: Annotated[
        Text | None,
        Field(description="Which is what, as in sentence=review; null: as they look."),
    ] = None


class BatchFile(Form):
    """A table, as text or as a file that was uploaded to gradio's API."""

    file: dict[str, Any] | None = None
    text: Text | None = None
    task: Rows = "auto"
    model: Text = "mean"
    columns: Text | None = None


class Labels(Form):
    """Sentences with labels of your own."""

    texts: Annotated[list[Text], FailFast(), Field(description="8 to 5,000 sentences.")]
    labels: Annotated[
        list[Label],
        FailFast(),
        Field(description="The class of each, in the same order: 2 to 20 names."),
    ]


FORMS: dict[str, type[Form]] = {
    "predict": Question,
    "compare_pooling": Question,
    "attention": Attention,
    "explain": Explain,
    "similarity_split": Pair,
    "similarity_matrix": Sentences,
    "batch": BatchFile,
    "your_labels": Labels,
}


def filled(name: str, values: list[Any]) -> list[Any]:
    """Return an endpoint's inputs, those that may be left out filled in.

    Raises:
        ValueError: inputs that are missing, too many or of another kind, in words.
    """
    form = FORMS[name]
    fields = form.model_fields
    if len(values) > len(fields):
        raise ValueError(
            f"`data` should have at most {len(fields)} inputs: {', '.join(fields)}. "
            f"Found {len(values)}."
        )
    try:
        asked = form.model_validate(dict(zip(fields, values, strict=False)))
    except ValidationError as error:
        raise ValueError(in_words(error)) from None
    return [getattr(asked, field) for field in fields]


def in_words(error: ValidationError) -> str:
    """Return the first thing that is wrong: the parameter, the rule, what was found."""
    wrong = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in wrong["loc"] if part not in ("str", "function-before"))
    return f"`{name}` {rule_of(wrong)}"


def rule_of(wrong: Any) -> str:  # noqa: ANN401 - pydantic's description of an error
    """Return the rule that was broken, and what was found, of one of pydantic's errors."""
    kind, found = wrong["type"], wrong["input"]
    if kind == "missing":
        return "is missing. Send it."
    if kind == "extra_forbidden":
        return "isn't one of the inputs. Leave it out."
    if kind == "unicode":
        return "should be text in Unicode. Found half a surrogate pair."
    if kind == "too_short":
        return "should have at least one. Found none."
    if kind == "literal_error":
        wanted = wrong["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
        return f"should be one of {wanted}. Found {found!r}."
    return f"should be {KINDS.get(kind, 'of another kind')}. Found {kind_of(found)}."
