"""The conversation's rules, driven by random command sequences and by the cases that matter."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collection.campaign import Rules, Timeouts
from collection.conversation import (
    Away,
    Back,
    Choose,
    Finish,
    Refusal,
    Repeat,
    Say,
    Share,
    Submit,
    Tick,
    complete,
    deadline,
    decide,
    missing_turns,
)
from collection.events import LIVE, ROLES, TALKING, TRANSITIONS, State, fold, other, pair, replay

RULES, TIMEOUTS = Rules(), Timeouts()
FACTS = {"sharer": 1, "receiver": 2, "description": "Objects in the photo: Cake"}


class Conversation(RuleBasedStateMachine):
    """Any commands in any order, from both sides and the clock, never break the rules."""

    @initialize(
        least=st.integers(0, 7),
        each=st.integers(0, 3),
    )
    def begin(self, least, each):
        self.rules = Rules(min_turns_before_share=least, min_turns_each=each)
        self.now = 1000.0
        self.log = [pair(FACTS, self.now)]
        self.state = replay(self.log)
        self.acknowledged = {}

    def give(self, by, command):
        before = self.state
        result = decide(before, by, command, self.now, self.rules, TIMEOUTS)
        if isinstance(result, Refusal):
            assert result.error
            assert result.message[0].isupper()
            return result
        if isinstance(result, Repeat):
            assert self.acknowledged[by, command.client_id] == result.seq
            return result
        for event in result:
            assert (self.state.phase, event.kind) in TRANSITIONS
            self.state = fold(self.state, event)
            self.log.append(event)
        if result and isinstance(command, Say | Share | Finish):
            key = by, command.client_id
            assert key not in self.acknowledged, "the same client id was written twice"
            self.acknowledged[key] = result[0].seq
        return result

    roles = st.sampled_from(ROLES)
    ids = st.integers(0, 12).map(str)

    @rule(by=roles, client_id=ids, text=st.sampled_from(["hi", "a cake", "", "me@example.org"]))
    def say(self, by, client_id, text):
        self.give(by, Say(client_id, f"{text} {client_id}" if text else ""))

    @rule(by=roles, client_id=ids)
    def share(self, by, client_id):
        before = self.state
        result = self.give(by, Share(client_id))
        if isinstance(result, list) and result:
            assert by == "sharer"
            assert sum(before.turns.values()) >= max(1, self.rules.min_turns_before_share)

    @rule(by=roles, client_id=ids)
    def finish(self, by, client_id):
        before = self.state
        result = self.give(by, Finish(client_id))
        if isinstance(result, list) and result:
            assert before.phase == "shared"

    @rule(by=roles)
    def submit(self, by):
        before = self.state
        if isinstance(self.give(by, Submit({"natural": 3})), list):
            assert before.phase in ("ended", "submitted")

    @rule(by=roles, command=st.sampled_from([Away(), Back()]))
    def connection(self, by, command):
        assert isinstance(self.give(by, command), list)

    @rule(by=roles, choice=st.sampled_from(["wait", "again", "leave"]))
    def choose(self, by, choice):
        self.give(by, Choose(choice))

    @rule(seconds=st.sampled_from([1, 30, 100, 130, 400, 4000]))
    def time_passes(self, seconds):
        self.now += seconds
        for _ in range(10):
            if not self.give(None, Tick()):
                break
        else:
            raise AssertionError("the clock never comes to rest")

    @invariant()
    def the_log_gives_the_state(self):
        if hasattr(self, "log"):
            assert replay(self.log) == self.state
            assert [event.seq for event in self.log] == list(range(1, len(self.log) + 1))

    @invariant()
    def at_most_one_share_and_nothing_said_after_the_end(self):
        if not hasattr(self, "log"):
            return
        kinds = [event.kind for event in self.log]
        assert kinds.count("share") <= 1
        assert kinds.count("finish") <= 1
        assert kinds.count("submit") <= 2
        for last in ("abandon", "expire", "close"):
            assert last not in kinds[:-1]
        if "finish" in kinds:
            assert not {"say", "share"} & set(kinds[kinds.index("finish") :])
            assert kinds.index("share") < kinds.index("finish")
        assert complete(self.state) == ("finish" in kinds)

    @invariant()
    def nothing_waits_for_ever(self):
        if hasattr(self, "state") and self.state.phase in LIVE:
            assert deadline(self.state, TIMEOUTS) is not None

    @precondition(lambda self: hasattr(self, "state") and self.state.phase in LIVE)
    @rule()
    def in_the_end_it_is_over(self):
        state, now = self.state, self.now
        for _ in range(30):
            due = deadline(state, TIMEOUTS)
            if due is None:
                break
            now = max(now, due)
            for event in decide(state, None, Tick(), now, self.rules, TIMEOUTS):
                state = fold(state, event)
        assert state.phase not in LIVE


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def begun(turns=0, *, shared=False, now=0.0):
    """A conversation with so many turns, one after the other."""
    state = replay([pair(FACTS, now)])
    for number in range(turns):
        state = after(state, ROLES[number % 2], Say(f"t{number}", f"turn {number}"), now)
    return after(state, "sharer", Share("share"), now) if shared else state


def after(state, by, command, now, timeouts=TIMEOUTS):
    result = decide(state, by, command, now, RULES, timeouts)
    assert isinstance(result, list), result
    for event in result:
        state = fold(state, event)
    return state


def refused(state, by, command, now=0.0, rules=RULES):
    result = decide(state, by, command, now, rules, TIMEOUTS)
    assert isinstance(result, Refusal), result
    return result.error


def test_the_papers_number_is_the_default():
    """Section 3.2: five turns in all before the photo."""
    assert refused(begun(4), "sharer", Share("s")) == "too-early"
    assert missing_turns(begun(4), RULES) == 1
    assert begun(5, shared=True).phase == "shared"


def test_turns_need_not_alternate():
    """Section 3.2: it is not required that they message alternately."""
    state = begun()
    for number in range(5):
        state = after(state, "receiver", Say(str(number), f"line {number}"), 0.0)
    assert after(state, "sharer", Share("s"), 0.0).phase == "shared"


def test_repeated_messages_are_refused_and_case_does_not_help():
    """The same words again, however spaced."""
    state = after(begun(), "sharer", Say("a", "Hello  there"), 0.0)
    assert refused(state, "sharer", Say("b", "hello there ")) == "repeated"
    after(state, "receiver", Say("b", "hello there"), 0.0)


def test_a_repeat_is_told_even_after_the_end():
    """A client that lost the acknowledgement gets it, whatever happened since."""
    state = after(begun(5, shared=True), "receiver", Finish("f"), 0.0)
    again = decide(state, "sharer", Say("t0", "turn 0"), 9.0, RULES, TIMEOUTS)
    assert again == Repeat(2)
    assert refused(state, "sharer", Say("new", "one more")) == "ended"


def test_minimum_for_each_side():
    """With the option on, the end waits until both have said enough."""
    rules = Rules(min_turns_each=4)
    state = begun(5, shared=True)
    assert refused(state, "sharer", Finish("f"), rules=rules) == "too-few-messages"


def test_idle_nudges_before_it_ends():
    """First a word, later the end; the one who spoke last is not the one who is idle."""
    state = begun(1)
    due = deadline(state, TIMEOUTS)
    assert due == TIMEOUTS.idle_nudge
    events = decide(state, None, Tick(), due, RULES, TIMEOUTS)
    assert [(event.kind, event.by) for event in events] == [("nudge", "receiver")]
    state = fold(state, events[0])
    over = decide(state, None, Tick(), deadline(state, TIMEOUTS), RULES, TIMEOUTS)
    assert [(event.kind, event.by, event.data) for event in over] == [
        ("abandon", "receiver", {"cause": "idle"})
    ]


def test_a_late_clock_still_nudges_first():
    """After a long pause of the server nobody is thrown out without a word."""
    events = decide(begun(1), None, Tick(), 3000.0, RULES, TIMEOUTS)
    assert [event.kind for event in events] == ["nudge"]
    assert events[0].data["until"] > 3000.0


def test_what_was_shared_is_not_lost_when_a_partner_goes():
    """Once the photo is shared, every way out keeps the dialogue as whole."""
    state = after(begun(5, shared=True), "receiver", Away(), 0.0)
    state = after(state, None, Tick(), TIMEOUTS.away)
    assert state.gone == {"receiver"}
    state = after(state, "sharer", Choose("leave"), TIMEOUTS.away + 1)
    assert (state.phase, complete(state)) == ("ended", True)


def test_both_gone_expires():
    """Nobody is left who could choose."""
    state = after(after(begun(2), "sharer", Away(), 0.0), "receiver", Away(), 1.0)
    state = after(state, None, Tick(), TIMEOUTS.away + 2)
    assert state.phase == "expired"


def test_the_log_refuses_what_the_table_does_not_know():
    """A log with a wrong event, or a gap, is not replayed in silence."""
    first = pair(FACTS, 0.0)
    for wrong in (first, first.__class__(3, 0.0, "say", "sharer", "a", {"text": "x"})):
        try:
            fold(replay([first]), wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


def test_every_talking_phase_has_its_ways_out():
    """The table: each phase in which people talk can be left by either, and by the clock."""
    for phase in TALKING:
        assert TRANSITIONS[phase, "abandon"] == "abandoned"
        assert TRANSITIONS[phase, "expire"] == "expired"
    assert {phase for phase, _ in TRANSITIONS} == {"waiting", *LIVE}
    assert other("sharer") == "receiver"
    assert State().phase == "waiting"
