"""What time does, with several processes: swept by hand, at the times that a test says."""

from __future__ import annotations

import time

from collection.roll_call import give_sign_of_life
from collection.service import TELL_AGAIN_SECONDS
from collection.sweep import sweep


def test_who_waits_in_vain_is_told_whichever_process_looks_first(
    serve, postgres_url, redis_url, monkeypatch
):
    """The one without the worker's connection leaves the end of the wait to the one that has it."""
    monkeypatch.setattr("collection.server.sweep.run", lambda service: None)
    servers = [serve(db=postgres_url, redis_url=redis_url) for _ in range(2)]
    anna = servers[1].worker("anna")
    over = anna.until_state("waiting")["until"] + 1
    time.sleep(TELL_AGAIN_SECONDS + 0.5)  # the page has asked where it stands: no more is told
    for server in servers:
        server.service.started_at, server.service.alive_at = 0.0, over
        give_sign_of_life(server.service, over)
    for server in servers:
        sweep(server.service, over)
    done = anna.until_state("done")
    assert done["reason"] == "no-partner"
    assert done["code"]
