"""Commands by which people decide: review, simulate-reviews, votes, decide."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.cli.environment import secret_of
from photochat.cli.output import AsJson, Force, Seed, note, print_json, print_table
from photochat.errors import DataError

if TYPE_CHECKING:
    from verification.outcome import LeftOut
    from verification.review.opening import Opened

Raw = Annotated[Path, typer.Option("--in", help="The dialogues.", metavar="FILE")]
Findings = Annotated[
    Path | None, typer.Option(help="What photochat check found in them.", metavar="FILE")
]
Gold = Annotated[
    Path | None,
    typer.Option(help='Dialogues with a key "gold": accept or reject.', metavar="FILE"),
]
Items = Annotated[
    Path | None,
    typer.Option(help="Only the dialogues of this list, such as again.jsonl.", metavar="FILE"),
]
Overlap = Annotated[int, typer.Option(help="Reviewers for each dialogue.", min=1, max=100)]
GoldShare = Annotated[float, typer.Option(help="Share of gold dialogues.", min=0, max=0.5)]
Database = Annotated[
    str,
    typer.Option(help="The review's database: sqlite:///FILE or postgresql://...", metavar="URL"),
]
Sources = "A review's database, a .jsonl of votes, or a platform's results as .csv."


class Method(str, Enum):
    """How votes are weighed."""

    DAWID_SKENE = "dawid-skene"
    MAJORITY = "majority"


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(review)
    app.command("simulate-reviews")(simulate_reviews)
    app.command()(votes)
    app.command()(decide)


def review(
    dialogues: Raw,
    images: Annotated[
        Path, typer.Option(help="Folder of pictures, DIR/<photo_id>.jpg.", metavar="DIR")
    ],
    reviewer: Annotated[
        list[str], typer.Option(help="Who reviews; once for each. Nobody else may sign in.")
    ],
    findings: Findings = None,
    db: Database = "sqlite:///review.db",
    overlap: Overlap = 2,
    gold: Gold = None,
    gold_share: GoldShare = 0.1,
    items: Items = None,
    hold_minutes: Annotated[
        float, typer.Option(help="How long a dialogue waits for its reviewer.", min=0.1)
    ] = 30.0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes any.", min=0, max=65535)] = 8001,
    public_url: Annotated[
        str | None, typer.Option(help="How reviewers reach it; for the links.", metavar="URL")
    ] = None,
    proxies: Annotated[
        int, typer.Option(help="Reverse proxies before the server.", min=0, max=9)
    ] = 0,
    https: Annotated[bool, typer.Option(help="Reviewers come over TLS (the proxy's).")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make up PHOTOCHAT_SECRET if it is not set.")
    ] = False,
) -> None:
    """Serve the page on which reviewers accept and reject dialogues; print their links.

    PHOTOCHAT_SECRET signs the links. Stop it whenever you like: every vote is in the database
    before the next dialogue is shown, and the same command goes on where it was.

    Example: photochat review --in raw.jsonl --images photos --reviewer ann --reviewer bob
    """
    secret = secret_of("PHOTOCHAT_SECRET", made_up=demo)
    from verification.review.serve import patch

    patch()
    from verification.review.opening import open_desk
    from verification.review.serve import serve

    if not images.is_dir():
        raise DataError("no such folder", file=images)
    for name in reviewer:
        if not name.strip() or len(name) > 100 or not name.isprintable():
            raise DataError(f"{name!r} is no name", field="--reviewer")
    opened = open_desk(
        dialogues,
        db,
        images,
        secret=secret,
        findings=findings,
        gold=gold,
        items=items,
        overlap=overlap,
        gold_share=gold_share,
        hold=60 * hold_minutes,
        reviewers=reviewer,
    )
    _note_opened(opened)
    serve(
        opened.desk,
        host,
        port,
        reviewers=reviewer,
        public_url=public_url,
        proxies=proxies,
        https=https,
    )


def simulate_reviews(
    dialogues: Raw,
    reviewer: Annotated[
        list[str],
        typer.Option(
            help="NAME=SHARE right, or NAME=CAUGHT/PASSED of invalid and valid ones; once for each."
        ),
    ],
    findings: Findings = None,
    truth: Annotated[
        Path | None,
        typer.Option(help='Dialogues with a key "gold": what is right.', metavar="FILE"),
    ] = None,
    db: Database = "sqlite:///review.db",
    overlap: Overlap = 2,
    gold: Gold = None,
    gold_share: GoldShare = 0.1,
    items: Items = None,
    known: Annotated[
        Path | None,
        typer.Option(help="Write what is known of them, for decide --known.", metavar="FILE"),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Let simulated reviewers of known quality vote, to rehearse a review.

    What is right comes from --truth and --gold; for other dialogues the checks' word is taken, and
    what they would not reject is valid.

    Example: photochat simulate-reviews --in raw.jsonl --reviewer ann=0.95 --reviewer bob=0.8/0.9
    """
    from verification.gold import read_gold
    from verification.review.opening import open_desk
    from verification.simulated_reviewers import (
        parse_reviewer,
        simulate,
        truth_by_findings,
        write_known,
    )

    reviewers = [parse_reviewer(text) for text in reviewer]
    opened = open_desk(
        dialogues,
        db,
        Path(),
        secret="no page is served",  # noqa: S106 - signs nothing
        findings=findings,
        gold=gold,
        items=items,
        overlap=overlap,
        gold_share=gold_share,
    )
    right = truth_by_findings(opened.desk.findings)
    for file in (truth, gold):
        right |= {g.dialogue.dialogue_id: g.answer for g in (read_gold(file) if file else ())}
    result = simulate(opened.desk, reviewers, right, seed=seed, now=time.time())
    opened.desk.database.close()
    if known:
        write_known(known, reviewers)
    _note_opened(opened)
    if as_json:
        print_json(result)
    else:
        print_table(
            ["reviewer", "catches", "passes", "decided", "right"],
            [[r.name, r.catches, r.passes, result.decided[r.name], result.right[r.name]]
             for r in result.reviewers],
        )  # fmt: skip
    note(
        f"photochat: {result.votes:,} votes in {opened.desk.database.shown}, "
        f"{result.unsure:,} of them unsure"
    )


def votes(
    sources: Annotated[list[str], typer.Argument(help=Sources, metavar="SOURCE...")],
    out: Annotated[Path, typer.Option(help="The votes file to write.", metavar="FILE.jsonl")],
    trail: Annotated[
        Path | None,
        typer.Option(help="Write the audit trail of the databases too.", metavar="FILE.jsonl"),
    ] = None,
    keep_worker_ids: Annotated[
        bool, typer.Option("--keep-worker-ids", help="Not hashed with PHOTOCHAT_PSEUDONYM_KEY.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring votes from review databases and crowdsourcing platforms into one votes file.

    A platform's worker ids become pseudonyms, keyed hashes with PHOTOCHAT_PSEUDONYM_KEY, the same
    as in the chat's export.

    Example: photochat votes sqlite:///review.db results.csv --out votes.jsonl
    """
    import msgspec

    from photochat.atomic import atomic_file
    from verification.vote_sources import gather
    from verification.votes import write_votes

    gathered = gather(sources, _names(sources, keep_worker_ids))
    if trail:
        from verification.review.store import read_trail

        entries = [e for source in sources if "://" in source for e in read_trail(source)]
        with atomic_file(trail, private=True) as part:
            part.write_bytes(msgspec.json.Encoder().encode_lines(entries))
        note(f"{trail}: {len(entries):,} entries")
    write_votes(out, gathered.votes)
    summary = {
        "votes": len(gathered.votes),
        "reviewers": len({vote.reviewer for vote in gathered.votes}),
        "refused": gathered.refused,
        "unanswered": gathered.unanswered,
    }
    if as_json:
        print_json(summary)
    else:
        note(
            f"{out}: {summary['votes']:,} votes by {summary['reviewers']:,} reviewers; left out: "
            f"{gathered.refused:,} of refused work, {gathered.unanswered:,} rows without a verdict"
        )


def decide(
    dialogues: Raw,
    votes: Annotated[
        list[str], typer.Option("--votes", help=f"{Sources} Once for each.", metavar="SOURCE")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write.", metavar="DIR")],
    findings: Findings = None,
    gold: Gold = None,
    method: Annotated[
        Method, typer.Option(help="Weigh votes by their reviewers' quality, or count them.")
    ] = Method.DAWID_SKENE,
    confidence: Annotated[
        float, typer.Option(help="Send back what is less certain.", min=0.5, max=1)
    ] = 0.9,
    min_votes: Annotated[int, typer.Option(help="Votes that a decision needs.", min=1)] = 2,
    give_up_after: Annotated[
        int | None, typer.Option(help="Reject what so many votes have not settled.", min=1)
    ] = None,
    auto_reject: Annotated[
        list[str] | None,
        typer.Option(help="A check that may reject what people have not decided.", metavar="CHECK"),
    ] = None,
    known: Annotated[
        Path | None,
        typer.Option(help="What simulate-reviews knows of its reviewers.", metavar="FILE"),
    ] = None,
    keep_worker_ids: Annotated[
        bool, typer.Option("--keep-worker-ids", help="Not hashed with PHOTOCHAT_PSEUDONYM_KEY.")
    ] = False,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=1)] = 1000,
    seed: Seed = 0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Decide which dialogues are valid, by the reviewers' votes.

    DIR gets accepted.jsonl, rejected.jsonl with reasons, decisions.jsonl, again.jsonl (ties and
    doubts, for photochat review --items), report.html and report.json.

    Example: photochat decide --in raw.jsonl --votes sqlite:///review.db --out decisions
    """
    from verification.decide import Rule
    from verification.decision_report import interval
    from verification.outcome import decide_files

    result = decide_files(
        dialogues,
        votes,
        out,
        rule=Rule(method.value, confidence, min_votes, give_up_after, tuple(auto_reject or ())),
        findings=findings,
        gold=gold,
        known=known,
        name_of=_names(votes, keep_worker_ids),
        replace=force,
        resamples=resamples,
        seed=seed,
    )
    if as_json:
        print_json(result)
    else:
        print_table(["outcome", "dialogues"], list(result.outcomes.items()))
        print()
        marks = {one.reviewer: f" known {one.right:.2f}" for one in result.known}
        print_table(
            ["reviewer", "votes", "right, estimated", "on gold"],
            [
                [r.reviewer, r.votes, interval(r.right) + marks.get(r.reviewer, ""),
                 interval(r.on_gold)]
                for r in result.reviewers
            ],
        )  # fmt: skip
        print(f"\nKrippendorff's alpha {interval(result.agreement.alpha)}")
    _note_left_out(result.left_out)
    if result.unchecked:
        note(f"photochat: dialogues without a line in the findings: {result.unchecked:,}")
    able = {one.check for one in result.checks if one.severity == "reject"}
    for name in result.rule.auto_reject:
        if name not in able:
            note(f"photochat: {name} rejects no dialogue in these findings")
    note(f"photochat: {out}/report.html says more")
    if result.outcomes["again"]:
        note(
            f"photochat: {result.outcomes['again']:,} dialogues need another vote: "
            f"photochat review --items {out}/again.jsonl"
        )


def _names(sources: list[str], keep: bool) -> Callable[[str], str]:
    """Return what turns worker ids into names; the key is needed where there are worker ids."""
    if keep or not any(Path(source).suffix == ".csv" for source in sources):
        return str
    if not os.environ.get("PHOTOCHAT_PSEUDONYM_KEY"):
        raise DataError(
            "is not set: worker ids become pseudonyms by it (or add --keep-worker-ids)",
            field="PHOTOCHAT_PSEUDONYM_KEY",
        )
    key = secret_of("PHOTOCHAT_PSEUDONYM_KEY").encode()
    from verification.platform_votes import pseudonym

    return lambda worker: pseudonym(key, worker)


def _note_opened(opened: Opened) -> None:
    prepared = opened.prepared
    note(
        f"photochat: {prepared.items:,} dialogues to review, {prepared.open:,} with a place left"
        + (f", {prepared.gold:,} gold" if prepared.gold else "")
        + (f", {prepared.gone:,} of earlier lists no longer given out" if prepared.gone else "")
    )
    for words, times in (
        ("dialogues without a line in the findings", opened.unchecked),
        ("lines of findings about no dialogue here", opened.findings_elsewhere),
        ("lines of the list about no dialogue here", opened.items_elsewhere),
    ):
        if times:
            note(f"photochat: {words}: {times:,}")


def _note_left_out(left: LeftOut) -> None:
    for words, times in (
        ("votes on dialogues that are not here", left.unknown),
        ("votes said twice", left.repeated),
        ("votes that their reviewer changed later", left.changed),
        ("contradictory votes of one reviewer, none of which counts", left.contradictory),
        ("votes of work that was refused on the platform", left.refused),
        ("rows without a verdict", left.unanswered),
    ):
        if times:
            note(f"photochat: {words}: {times:,}")
