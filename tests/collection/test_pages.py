"""The pages as browsers see them, and what a session is good for."""


def test_entering_from_another_browser_ends_what_the_first_one_has_open(serve):
    """The chat is closed there and the photo is not shown; the partner sees somebody come back."""
    server = serve()
    sharer, receiver = server.pair()
    again = server.worker(sharer.name, connect=False)
    sharer.until_state("replaced")
    receiver.until_event("away")
    photo = server.url + again.connect()["state"]["photo"]["url"]
    receiver.until_event("back")
    assert again.http.get(photo).status_code == 200
    assert sharer.http.get(photo).status_code == 404
    assert again.say("the battery of my phone was empty")["ok"]
    assert receiver.until_event("say")
