"""The stages as data: for each what it reads, what it writes, and the command that does it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from photochat.pipeline.options import placed
from photochat.pipeline.settings import Options, Review, Settings, Training

ANSWERS = "answers"  # what the commands print with --json, a file a stage


class Stage(msgspec.Struct, frozen=True):
    """One command of the chain.

    `outputs` are what later stages read; `leftovers` are removed before the command starts, so that
    nothing of an earlier run is mixed in. With `resume` (words that are added) a command that was
    interrupted goes on instead, if its first output is there.
    """

    name: str
    title: str
    words: tuple[str, ...]
    package: str  # the stage of the toolkit whose code decides the result
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    leftovers: tuple[Path, ...] = ()
    answer: Path | None = None  # gets what the command prints
    resume: tuple[str, ...] | None = None
    findings: bool = False  # status 1 is a result, no failure
    always: bool = False  # reads something whose changes cannot be seen in files


def chain(settings: Settings, base: Path, folder: Path) -> tuple[Stage, ...]:
    """Return the stages of a pipeline file that lies in `folder`, in the order they run in.

    `base` is what the stages name that folder by.
    """
    place = Places(settings, base, folder)
    return (
        *_photos(settings, place),
        *_dialogues(settings, place),
        *_verification(settings, place),
        *_release(settings, place),
        *_models(settings, place),
    )


class Places:
    """Where things lie that several stages need."""

    def __init__(self, settings: Settings, base: Path, folder: Path) -> None:
        self.base = base
        self._folder = folder
        self.out = base / settings.out
        self.pool = base / settings.pool if settings.pool else self.out / "pool.parquet"
        self.images = base / settings.images.folder if settings.images else None
        collect = settings.collect
        self.raw = base / collect.raw if collect.raw else self.out / "collect" / "raw.jsonl"
        self.decided = self.out / "decisions" / "accepted.jsonl"
        self.accepted = self.decided if settings.review else self.raw
        self.release = self.out / "release"

    def answer(self, name: str) -> Path:
        """Return where a stage's answer is kept."""
        return self.out / ANSWERS / f"{name}.json"

    def options(self, options: Options) -> tuple[Options, tuple[Path, ...]]:
        """Return a section's options as its command takes them, and the files that they name."""
        return placed(options, self.base, self._folder)


def _photos(settings: Settings, place: Places) -> list[Stage]:
    stages = []
    if settings.filter:
        asked = settings.filter
        boxes, classes, metadata = (
            tuple(place.base / file for file in files)
            for files in (asked.boxes, asked.classes, asked.metadata)
        )
        hierarchy = (place.base / asked.hierarchy,) if asked.hierarchy else ()
        options, named = place.options(asked.options)
        words = [
            *_each("--boxes", boxes), *_each("--classes", classes),
            *_each("--hierarchy", hierarchy), *_each("--metadata", metadata),
        ]  # fmt: skip
        stages.append(
            Stage(
                "filter",
                "Which photos would people share?",
                ("filter", *words, "--out", str(place.pool), *options, "--json"),
                "filtering",
                (*boxes, *classes, *hierarchy, *metadata, *named),
                (place.pool,),
                (place.pool, place.pool.with_suffix(".report.json")),
                place.answer("filter"),
            )
        )
    if settings.images is None or not (settings.pool or settings.filter):
        return stages
    assert place.images is not None
    if settings.images.download:
        stages.append(
            Stage(
                "download",
                "Fetch their pictures.",
                ("download", str(place.pool), "--images", str(place.images),
                 *settings.images.options, "--json"),
                "filtering",
                (place.pool,),
                (place.images,),
                (),
                place.answer("download"),
                findings=True,
            )
        )  # fmt: skip
    sheet = place.out / "contact-sheet.png"
    stages.append(
        Stage(
            "contact-sheet",
            "Look at some of them.",
            ("contact-sheet", str(place.pool), "--images", str(place.images), "--n", "24",
             "--seed", str(settings.images.sheet_seed), "--out", str(sheet), "--json"),
            "filtering",
            (place.pool, place.images),
            (sheet,),
            (sheet,),
            place.answer("contact-sheet"),
        )
    )  # fmt: skip
    return stages


def _dialogues(settings: Settings, place: Places) -> list[Stage]:
    asked = settings.collect
    if asked.campaign is None:
        return []
    config, folder = place.base / asked.campaign, place.raw.parent
    assert place.images is not None
    return [
        Stage(
            "collect",
            "Strangers talk; one of the two shares a photo.",
            ("rehearse", "--config", str(config), "--pool", str(place.pool), "--images",
             str(place.images), "--pairs", str(asked.pairs), "--seed", str(settings.seed),
             "--out", str(folder), *asked.options, "--json"),
            "collection",
            (config, place.pool, place.images),
            (place.raw,),
            (folder,),
            place.answer("collect"),
        )
    ]  # fmt: skip


def _verification(settings: Settings, place: Places) -> list[Stage]:
    findings, report = place.out / "findings.jsonl", place.out / "check.html"
    stages = []
    if settings.check:
        models = () if settings.check.models else ("--no-models",)
        options, named = place.options(settings.check.options)
        stages.append(
            Stage(
                "check",
                "Machines flag.",
                ("check", str(place.raw), "--out", str(findings), "--report", str(report),
                 *models, *options),
                "verification",
                (place.raw, *named),
                (findings, report),
                (findings, report),
            )
        )  # fmt: skip
    if settings.review:
        found = findings if settings.check else None
        stages += _review(settings, settings.review, place, found)
    return stages


def _review(settings: Settings, asked: Review, place: Places, findings: Path | None) -> list[Stage]:
    known = place.out / "reviewers.json"
    gold = (place.base / asked.gold,) if asked.gold else ()
    read = (place.raw, *([findings] if findings else ()), *gold)
    words = (
        "--in", str(place.raw), *_each("--findings", [findings] if findings else []),
        *_each("--gold", gold),
    )  # fmt: skip
    stages = []
    sources = [_source(place.base, text) for text in asked.votes]
    files = tuple(place.base / text for text in asked.votes if "://" not in text)
    if asked.simulated:
        votes = place.out / "review.db"
        sources, files = [f"sqlite:///{votes}"], (votes, known)
        stages.append(
            Stage(
                "review",
                "People decide: here reviewers of a quality that is known.",
                ("simulate-reviews", *words, "--db", sources[0], "--overlap", str(asked.overlap),
                 *_each("--reviewer", asked.simulated), "--known", str(known),
                 "--seed", str(settings.seed), "--json"),
                "verification",
                read,
                files,
                (votes, *(votes.with_name(votes.name + end) for end in ("-wal", "-shm")), known),
                place.answer("review"),
            )
        )  # fmt: skip
    folder = place.decided.parent
    options, named = place.options(asked.options)
    stages.append(
        Stage(
            "decide",
            "Who is right, and how much do they agree?",
            ("decide", *words, *_each("--votes", sources),
             *(("--known", str(known)) if asked.simulated else ()), "--seed", str(settings.seed),
             "--out", str(folder), *options, "--json"),
            "verification",
            (*read, *files, *named),
            (place.decided, folder / "rejected.jsonl", folder / "report.html"),
            (folder,),
            place.answer("decide"),
            always=any("://" in text for text in asked.votes),
        )
    )  # fmt: skip
    return stages


def _release(settings: Settings, place: Places) -> list[Stage]:
    asked = settings.split
    release, plots, package = place.release, place.out / "plots", place.out / "package"
    drawn = (plots,) if settings.plots else ()
    options, named = place.options(asked.options)
    stages = [
        Stage(
            "validate",
            "What is wrong with the dialogues?",
            ("validate", str(place.accepted), "--json"),
            "photochat",
            (place.accepted,),
            (),
            (),
            place.answer("validate"),
            findings=True,
        ),
        Stage(
            "split",
            "Cut them into splits without a leak.",
            ("split", str(place.accepted), "--out", str(release), "--dev", str(asked.dev),
             "--test", str(asked.test), "--seed", str(settings.seed), *options, "--json"),
            "photochat",
            (place.accepted, *named),
            (release,),
            (release,),
            place.answer("split"),
        ),
        Stage(
            "stats",
            "Count them as the paper does.",
            ("stats", str(release), *_each("--plots", drawn), "--json"),
            "photochat",
            (release,),
            drawn,
            drawn,
            place.answer("stats"),
        ),
    ]  # fmt: skip
    if settings.package:
        stages.append(
            Stage(
                "package",
                "Make them ready to publish.",
                ("package", str(release), "--out", str(package), "--name", settings.package.name,
                 "--license", settings.package.license, *settings.package.options, "--json"),
                "photochat",
                (release,),
                (package,),
                (package,),
                place.answer("package"),
            )
        )  # fmt: skip
    return stages


def _models(settings: Settings, place: Places) -> list[Stage]:
    stages = []
    if settings.bm25:
        options, named = place.options(settings.bm25.options)
        stages.append(
            Stage(
                "bm25",
                "How far does BM25 get?",
                ("evaluate", "bm25", "--data", str(place.release), "--split", "test",
                 "--seed", str(settings.seed), *options, "--json"),
                "modeling",
                (place.release, *named),
                (),
                (),
                place.answer("bm25"),
            )
        )  # fmt: skip
    if settings.intent:
        stages += _training(
            "intent", "Train a model to foresee photos.", settings.intent, settings.seed, place
        )
    if settings.retrieval:
        stages += _training(
            "retrieval", "Train a model to find photos.", settings.retrieval, settings.seed, place
        )
    return stages


def _training(task: str, title: str, asked: Training, seed: int, place: Places) -> list[Stage]:
    shown: tuple[Path, ...]
    run, data = place.out / task, ("--data", str(place.release))
    pictures: tuple[Path, ...] = (place.images,) if task == "retrieval" and place.images else ()
    images = _each("--images", pictures)
    options, named = place.options(asked.options)
    shown = (run / "metrics.json", run / "report.html")
    if task == "retrieval":
        shown = (*shown, run / "gallery.html")
    return [
        Stage(
            task,
            title,
            ("train", task, *data, *images, "--preset", asked.preset, "--seed", str(seed),
             "--out", str(run), *options, "--json"),
            "modeling",
            (place.release, *pictures, *named),
            (run / "settings.json", run / "model"),
            (run,),
            place.answer(task),
            resume=("--resume",),
        ),
        Stage(
            f"{task}-test",
            "How well does it?",
            ("evaluate", str(run), *data, *images, "--split", "test", "--seed", str(seed),
             "--json"),
            "modeling",
            (place.release, *pictures, run / "settings.json", run / "model"),
            shown,
            shown,
            place.answer(f"{task}-test"),
        ),
    ]  # fmt: skip


def _source(base: Path, text: str) -> str:
    """Return a source of votes as the command takes it: a review's database is named by URL."""
    if "://" in text:
        return text
    file = base / text
    return str(file) if file.suffix in (".jsonl", ".csv") else f"sqlite:///{file}"


def _each(option: str, values: object) -> tuple[str, ...]:
    """Return an option once for each value."""
    assert isinstance(values, tuple | list)
    return tuple(part for value in values for part in (option, str(value)))
