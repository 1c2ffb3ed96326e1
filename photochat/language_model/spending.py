"""What answers cost: prices, what was spent, and a budget that is never exceeded."""

from __future__ import annotations

import msgspec

from photochat.language_model.question import NoAnswerError, Question, Reply, most_tokens

MILLION = 1_000_000


class OverBudgetError(NoAnswerError):
    """Asking might have cost more than the budget leaves."""


class Prices(msgspec.Struct, frozen=True):
    """Money for a million tokens read and a million tokens written, in one currency."""

    read: float = 0.0
    written: float = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what so many tokens cost."""
        return (prompt_tokens * self.read + completion_tokens * self.written) / MILLION


class Spending(msgspec.Struct):
    """What a run has asked and paid so far; `cost` is in the prices' currency.

    `kept` answers came from disk and cost nothing; `wrong_form` answers had to be asked for again.
    `counted` is False once a server told no token counts, and they were estimated.
    """

    asked: int = 0
    kept: int = 0
    wrong_form: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    counted: bool = True


class Purse:
    """Holds a budget: what a question may cost at most is set aside before it is sent."""

    def __init__(self, prices: Prices, budget: float | None = None) -> None:
        self.prices = prices
        self.budget = budget
        self.spending = Spending()
        self._set_aside = 0.0

    def set_aside(self, question: Question) -> float:
        """Set aside what a question may cost at most; returns the amount.

        Raises:
            OverBudgetError: the budget does not leave as much.
        """
        most = self.prices.of(most_tokens(question), question.sampling.max_tokens)
        so_far = self.spending.cost + self._set_aside
        if self.budget is not None and so_far + most > self.budget:
            raise OverBudgetError(f"not asked: the budget of {self.budget:g} would be exceeded")
        self._set_aside += most
        return most

    def give_back(self, amount: float) -> None:
        """Give back what was set aside for a question, answered or not."""
        self._set_aside -= amount

    def pay(self, reply: Reply) -> None:
        """Write down an answer that came from the model."""
        spent = self.spending
        spent.asked += 1
        spent.prompt_tokens += reply.prompt_tokens
        spent.completion_tokens += reply.completion_tokens
        spent.counted &= reply.counted
        spent.cost += self.prices.of(reply.prompt_tokens, reply.completion_tokens)
