"""What comes between two steps of a process: the order that only bad luck brings about."""

import threading
import time

from collection.service import TELL_AGAIN_SECONDS
from collection.sweep import catch_up


def test_who_is_paired_while_the_page_asks_where_it_stands_misses_nothing(serve, monkeypatch):
    """The pairing comes between the reading of the row and the note of what was read."""
    server = serve()
    service = server.service
    server.worker("anna").until_state("waiting")
    (waiting,) = service.presence.all()
    newcomer = server.worker("ben", connect=False)
    service.draining = True  # nobody is paired before the moment has come
    read = service.row

    def row_of(participant):
        row = read(participant)
        if service.draining and participant != waiting.participant:
            service.draining = False
            pairing = threading.Thread(target=service.pair)
            pairing.start()
            pairing.join(1.0)
        return row

    monkeypatch.setattr(service, "row", row_of)
    newcomer.connect()
    newcomer.until_event("paired")
    newcomer.until_state("talking")
    assert newcomer.say("nobody told me of you")["ok"]


def test_the_survey_comes_though_the_picture_is_fetched_first(serve, postgres_url, monkeypatch):
    """Between the end of the talk in one process and the other's hearing of it."""
    monkeypatch.setattr("collection.server.sweep.run", lambda service: None)
    servers = [
        serve(
            db=postgres_url, redis_url="redis://127.0.0.1:1/0", rules={"min_turns_before_share": 1}
        )
        for _ in range(2)
    ]

    def news():
        for server in servers:
            catch_up(server.service)

    workers = [server.worker(name) for server, name in zip(servers, ("anna", "ben"), strict=True)]
    servers[0].service.pair()
    news()
    for worker in workers:
        worker.until_event("paired")
    time.sleep(TELL_AGAIN_SECONDS + 0.5)  # what a page is told some time after it came
    sharer, receiver = sorted(workers, key=lambda worker: worker.role != "sharer")
    assert sharer.say("look at this")["ok"]
    assert sharer.share()["ok"]
    news()
    photo = receiver.until_event("share")["photo"]["url"]
    assert sharer.finish()["ok"]
    assert receiver.http.get(receiver.url + photo).status_code == 200
    news()
    receiver.until_state("ended")
