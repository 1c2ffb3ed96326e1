"""What comes between two steps of one process: the order that only bad luck brings about."""

import threading


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
