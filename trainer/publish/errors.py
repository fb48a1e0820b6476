"""What can go wrong while publishing, each as a sentence with the next step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

AGAIN = "Nothing is lost: run the same command again, and it continues with what is missing."
TOKENS = "https://huggingface.co/settings/tokens"
NEEDS_PLAN = (
    "The Hub doesn't create {space} on {hardware}: {said}. Since 2026 a Gradio Space on a CPU "
    "needs a paid plan (PRO, Team or Enterprise). Nothing was created. Ways out: "
    "--hardware zero-a10g, "
    "which verified free accounts older than 30 days may use for two Spaces; --static, a page "
    "without a model, free for everyone; or a plan, https://huggingface.co/pricing"
)
NO_ZERO_GPU = (
    "The Hub doesn't create {space} on {hardware}: {said}. ZeroGPU is for verified accounts older "
    "than 30 days, two Spaces each without a paid plan. Nothing was created. Ways out: --static, a "
    "page without a model, free for everyone; or a plan, https://huggingface.co/pricing"
)
NEEDS_BILLING = (
    "The Hub doesn't give {space} {hardware}: {said}. That hardware is paid by the hour; set up "
    "billing at https://huggingface.co/settings/billing, or leave --hardware out"
)
NEEDS_CREDITS = (
    "The Hub doesn't start a job on {flavor}: {said}. Jobs are paid by the minute from an "
    "account's credits, bought or part of a plan: https://huggingface.co/settings/billing. Nothing "
    "was started. A GPU for no money: docs/training.ipynb, in a hosted notebook"
)
MONEY_WORDS = ("pro ", "subscri", "upgrade", "paid", "payment", "billing", "credit", "plan")
ROOM_WORDS = ("quota", "storage", "too large", "exceed")


class PublishError(RuntimeError):
    """Publishing stopped; the message says why, what there is now, and the next step."""


def explain(error: Exception, doing: str, token: str = "", again: str = "") -> PublishError:
    """Turn an error of the Hub's client into a sentence with the next step.

    Args:
        error: what the client raised.
        doing: what was being done, such as "uploading someone/lab".
        token: taken out of whatever is told, should the server repeat it.
        again: how to go on, where the same command would do something else.
    """
    if isinstance(error, PublishError):
        return error
    answer, root = answer_of(error), list(causes(error))[-1]
    if answer is not None:
        told = explain_answer(answer.response.status_code, words_of(answer), doing)
    elif connection_gone(error):
        told = f"The connection to the Hub was lost while {doing} ({one_line(root)}). {AGAIN}"
    else:
        said = one_line(error) if root is error else f"{one_line(error)} {one_line(root)}"
        told = f"Stopped while {doing}: {said.rstrip('.')}. {AGAIN}"
        if any(word in str(error).lower() for word in ROOM_WORDS):
            told = no_room(one_line(error), doing)
    if again:
        told = f"{told.replace(AGAIN, '').rstrip()} {again}"
    return PublishError(without_token(told, token))


def explain_answer(status: int, said: str, doing: str) -> str:
    """Say what an answer of the Hub means, by its HTTP status."""
    low = said.lower()
    if status == 413 or (status in (402, 403) and any(word in low for word in ROOM_WORDS)):
        return no_room(said, doing)
    means = {
        400: f"It doesn't take what was sent. Mend that, then run the same command again. {AGAIN}",
        401: f"The token isn't valid, or isn't allowed to see this. Make one at {TOKENS}, then "
        "`hf auth login`, or set HF_TOKEN.",
        402: f"That needs a paid plan or credits: https://huggingface.co/settings/billing. {AGAIN}",
        403: f"The token has no right to do that. Make one with write access at {TOKENS}, and see "
        "that the account may write there.",
        404: "It isn't there, or the token can't see it. Check the name, and the token's rights.",
        409: "The name is taken. Choose another, or delete what is there in its settings on the "
        "Hub.",
        429: f"Too many requests for now. Wait some minutes. {AGAIN}",
    }
    trouble = f"The Hub has trouble of its own; see https://status.huggingface.co. {AGAIN}"
    return f"The Hub refused while {doing} ({status}: {said}). {means.get(status, trouble)}"


def no_room(said: str, doing: str) -> str:
    """Say that the account's storage is full."""
    return (
        f"The Hub has no room left in this account while {doing} ({said}). Delete what you no "
        f"longer need at https://huggingface.co/settings/storage, or take a larger plan. {AGAIN}"
    )


def refused_creation(error: Exception, space: str, hardware: str) -> str | None:
    """Say why the Hub doesn't create a Space without money; None for any other error."""
    answer = answer_of(error)
    if answer is None or not asks_for_money(answer):
        return None
    template = NO_ZERO_GPU if hardware.startswith("zero-") else NEEDS_PLAN
    return template.format(space=space, hardware=hardware, said=words_of(answer).rstrip(". "))


def refused_hardware(error: Exception, space: str, hardware: str) -> str | None:
    """Say why the Hub doesn't give a Space paid hardware; None for any other error."""
    answer = answer_of(error)
    if answer is None or not asks_for_money(answer):
        return None
    return NEEDS_BILLING.format(space=space, hardware=hardware, said=words_of(answer).rstrip(". "))


def refused_job(error: Exception, flavor: str) -> str | None:
    """Say why the Hub doesn't start a job without money; None for any other error."""
    answer = answer_of(error)
    if answer is None or not asks_for_money(answer):
        return None
    return NEEDS_CREDITS.format(flavor=flavor, said=words_of(answer).rstrip(". "))


def asks_for_money(answer: HfHubHTTPError) -> bool:
    """Say whether a refusal is about a plan or a payment, not about rights."""
    status, low = answer.response.status_code, words_of(answer).lower() + " "
    return status == 402 or (status == 403 and any(word in low for word in MONEY_WORDS))


def answer_of(error: BaseException) -> HfHubHTTPError | None:
    """Return the Hub's refusal behind an error, if there is one."""
    from huggingface_hub.errors import HfHubHTTPError

    for cause in causes(error):
        if isinstance(cause, HfHubHTTPError):
            return cause
    return None


def connection_gone(error: BaseException) -> bool:
    """Say whether an error came from the network and not from an answer."""
    import httpx2

    gone = (httpx2.TransportError, ConnectionError, TimeoutError)
    return any(isinstance(cause, gone) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, then what it came from, then what that came from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def words_of(answer: HfHubHTTPError) -> str:
    """Return what the server says, in one line."""
    return " ".join((answer.server_message or one_line(answer)).split())


def one_line(error: BaseException) -> str:
    """Return an error's text in one line of 300 characters at most."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."


def without_token(text: str, token: str) -> str:
    """Return the text with the token, should it be in there, taken out."""
    return text.replace(token, "[token]") if token else text
