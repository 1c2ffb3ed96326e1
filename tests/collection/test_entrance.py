"""Coming in: how often one worker may, and coming in again, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from collection.entrance import Arrival, NoTask, answer_check, consent, enter
from collection.settlement import finish, move
from collection.tables import participants


def read_forms(connection, campaign, assignment):
    """Enter under an assignment and come as far as the check."""
    row = enter(connection, campaign, Arrival("anna", assignment, {}), 1.0)
    consent(connection, row.id, True, 1.0)
    move(connection, row.id, "check")
    return row.id


def test_one_worker_takes_part_as_often_as_one_may_under_any_number_of_assignments(
    database, stocked
):
    """What is going on counts, so that one link is good for so many codes and no more."""
    campaign = stocked(rules={"conversations_per_worker": 2})
    with database.writing.begin() as connection:
        begun = [read_forms(connection, campaign, f"a{number}") for number in range(4)]
        for one in begun[:2]:
            answer_check(connection, campaign, one, True, 1.0)
        with pytest.raises(NoTask, match="worker-limit"):
            answer_check(connection, campaign, begun[2], True, 1.0)
        with pytest.raises(NoTask, match="worker-limit"):
            read_forms(connection, campaign, "a4")
        answer_check(connection, campaign, begun[0], True, 1.0)  # pressed twice: no harm
        finish(connection, begun[0], "no-partner", 2.0)
        with pytest.raises(NoTask, match="worker-limit"):
            answer_check(connection, campaign, begun[2], True, 2.0)
        finish(connection, begun[1], "left-waiting-room", 2.0)
        answer_check(connection, campaign, begun[2], True, 2.0)
        stages = connection.execute(sa.select(participants.c.stage).order_by(participants.c.id))
        assert stages.scalars().all() == ["done", "done", "waiting", "check"]


def test_a_form_that_was_only_begun_does_not_count(database, stocked):
    """Who returns an assignment on the platform may accept another."""
    campaign = stocked(rules={"conversations_per_worker": 1})
    with database.writing.begin() as connection:
        for number in range(3):
            read_forms(connection, campaign, f"a{number}")


def test_who_enters_again_from_the_waiting_room_keeps_the_place(database, stocked):
    """The time to come back counts from then, however long they have waited."""
    campaign = stocked()
    with database.writing.begin() as connection:
        answer_check(connection, campaign, read_forms(connection, campaign, "a1"), True, 1.0)
        row = enter(connection, campaign, Arrival("anna", "a1", {}), 500.0)
        assert (row.stage, row.generation, row.waiting_since) == ("waiting", 2, 1.0)
        assert (row.process, row.last_seen) == (None, 500.0)
