"""What the collection's tests stand on: databases, a pool with pictures, a server, real clients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from werkzeug.serving import make_server

from collection.campaign import Campaign, parse_campaign
from collection.database import Database
from collection.server import ServerConfig, create_app, stop
from collection.stock import stock
from photochat.photo import Photo
from tests.collection.worker import Worker

SECRET = "a secret that only tests know"
ADMIN_TOKEN = "the token of the tests"


def make_photos(images: Path, count: int) -> tuple[Photo, ...]:
    photos = []
    for number in range(count):
        photo_id = f"train/{number:016x}"
        path = images / f"{photo_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (number % 256, 90, 120)).save(path)
        labels = ("Woman", "Cake") if number % 2 else ("Dog", "Animal")
        url = f"https://photos.example.org/{number}.jpg"
        photos.append(Photo(photo_id, url=url, labels=labels))
    return tuple(photos)


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chat.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(db_url: str) -> Iterator[Database]:
    database = Database(db_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def stocked(database: Database, tmp_path: Path) -> Callable[..., Campaign]:
    """Makes a campaign with `count` photos in the database."""

    def make(count: int = 5, **sections: Any) -> Campaign:
        campaign = parse_campaign(sections)
        photos = make_photos(tmp_path / "images", count)
        with database.writing.begin() as connection:
            stock(connection, database, campaign, photos, tmp_path / "images", 0.0)
        return campaign

    return make


class Server:
    """A chat server in this process, in threads, with what tests want to look into."""

    def __init__(self, config: ServerConfig) -> None:
        self.app = create_app(config)
        self.service = self.app.extensions["photochat"]
        self._http = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._workers: list[Worker] = []
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def worker(self, name: str, **options: Any) -> Worker:
        """A worker who has passed the forms and holds a socket, unless `connect=False`."""
        worker = Worker(self.url, name, **options)
        self._workers.append(worker)
        return worker

    def pair(
        self, one: str = "anna", another: str = "ben", **options: Any
    ) -> tuple[Worker, Worker]:
        """Two workers in a conversation: sharer, receiver."""
        two = [self.worker(name, **options) for name in (one, another)]
        for worker in two:
            worker.until_event("paired")
        sharer, receiver = sorted(two, key=lambda worker: worker.role != "sharer")
        return sharer, receiver

    def stop(self) -> None:
        for worker in self._workers:
            worker.close()
        self._http.shutdown()
        stop(self.app)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers; sections of the campaign file come as keywords."""
    servers: list[Server] = []

    def start(
        photos: int = 5, *, db: str | None = None, redis_url: str | None = None, **sections: Any
    ) -> Server:
        images = tmp_path / "images"
        config = ServerConfig(
            db=db or f"sqlite:///{tmp_path}/chat.db",
            pool=make_photos(images, photos),
            images=images,
            campaign=parse_campaign(sections),
            secret=SECRET,
            admin_token=ADMIN_TOKEN,
            cache=tmp_path / "cache",
            redis_url=redis_url,
        )
        servers.append(Server(config))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
