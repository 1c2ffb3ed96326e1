"""What all tests share: where the real data stands, and dialogues made to measure."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from photochat.dialogue import Dialogue, Turn
from tests.guard.no_production import stand_guard
from tests.private_services import Postgres, Redis, has_postgres, has_redis
from tests.stub_endpoint import StubEndpoint

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # processes enough for all cores: more threads only wait
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test reaches a platform where people are paid; the processes that tests start inherit that.
stand_guard()
GUARD = Path(__file__).parent / "guard"
_path = [str(GUARD), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ["PYTHONPATH"] = os.pathsep.join(_path)
# Nobody's credentials are used, and nobody is asked for any.
for name in [
    name
    for name in os.environ
    if name.startswith(
        ("AWS_", "PG", "PHOTOCHAT_LLM", "PHOTOCHAT_MTURK", "PHOTOCHAT_PROLIFIC", "PHOTOCHAT_REDIS")
    )
]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

# Everything again with more of everything: PHOTOCHAT_LONG=1 make test
LONG = bool(os.environ.get("PHOTOCHAT_LONG"))
settings.register_profile("tests", max_examples=1000 if LONG else 50, deadline=None)
settings.load_profile("tests")

REPOSITORY = Path(__file__).parent.parent
SAMPLE = REPOSITORY / "photochat" / "sample" / "dialogues.json"
BROKEN = REPOSITORY / "photochat" / "sample" / "broken.jsonl"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the most slow tests come first: what is long must not begin when all else ends."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def shared_data() -> Path | None:
    """Return the folder of real data, where there is one."""
    root = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    return root / "data" if (root / "data").is_dir() else None


def unavailable(what: str) -> NoReturn:
    """Skip a test for want of a service or program, except where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI runs everything")
    pytest.skip(what)


@pytest.fixture(scope="session")
def real_photochat() -> Path:
    """The published dialogues: the dev split and half of test."""
    data = shared_data()
    if data is None:
        pytest.skip("the real data is not here (PHOTOCHAT_SHARED)")
    return data / "photochat"


def make_dialogue(
    text: str = "0:hi 1:hey 0:* 1:nice",
    *,
    dialogue_id: int = 0,
    photo: str = "a",
    labels: str = "Cake",
    persona: str = "",
    photo_id: str | None = None,
) -> Dialogue:
    """Make a dialogue from "speaker:message ..." where * is the photo and _ stands for a space."""
    turns = []
    for part in text.split():
        user, message = part.split(":", 1)
        share = message == "*"
        turns.append(
            Turn(
                message="" if share else message.replace("_", " "),
                share_photo=share,
                user_id=int(user),
            )
        )
    who = f"The photo has your {persona}. " if persona else ""
    return Dialogue(
        turns=tuple(turns),
        dialogue_id=dialogue_id,
        photo_description=f"{who}Objects in the photo: {labels}",
        photo_url=f"https://photos.example.org/{photo}.jpg" if photo else "",
        photo_id=photo_id,
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL cluster of our own."""
    if not has_postgres():
        unavailable("PostgreSQL is not installed")
    cluster = Postgres()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """A fresh PostgreSQL database."""
    return postgres.new_database()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis server of our own."""
    if not has_redis():
        unavailable("Redis is not installed")
    server = Redis()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(redis: Redis) -> str:
    """Where it is."""
    return redis.url


@pytest.fixture
def language_model() -> Iterator[str]:
    """An endpoint that answers whatever is asked; yields its address."""
    stub = StubEndpoint()
    yield stub.url
    stub.stop()


@pytest.fixture
def run_photochat(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: (exit status, stdout, stderr)."""
    from photochat.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["photochat", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, out, err

    return run
