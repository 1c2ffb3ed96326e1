"""A campaign for 100 conversations on the MTurk emulator, with workers as they are in the field.

Some drop out, wait in vain, return the HIT after the work, submit twice, submit nothing or submit
somebody else's code. What the emulator's books say each got is compared with what the campaign file
promises for how it ended: to the cent, person by person.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import time
import urllib.request
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.report import machine, report
from collection.campaign import Campaign, load_campaign
from collection.database import Database
from collection.money.carry_out import carry_out
from collection.money.pay import bonus_of
from collection.money.paying import pay
from collection.money.people import finished
from collection.money.reconcile import reconcile
from collection.recruiting.launch import launch
from collection.recruiting.opening import open_recruiter
from collection.recruiting.recruiter import Recruiter
from collection.recruiting.review import Decision, approvable, decide, entries
from collection.recruiting.synchronise import synchronise
from collection.simulate.habits import Shares
from collection.simulate.run import collect_compensation, simulate
from photochat.cli.typed import free_port, in_background
from tests.collection.stage import make_photos

CONVERSATIONS = 100
PAIRS = 110  # more than are needed: some wait in vain, some drop out
RATE = 2.0
SHARES = Shares(troubled=0.3, spoiling=0.1)
ODD = 0.2  # returns, twice, nothing, copies: 5% each
SEED = 1
DAY = 86_400.0
CAMPAIGN = """
name = "benchmark"
[timeouts]
waiting = 20
left_waiting = 5
away = 5
choice = 5
idle_nudge = 6
idle_end = 12
conversation = 60
submit = 20
[recruiting]
recruiter = "mturk"
url = "http://{chat}"
submit_hosts = ["{mturk}"]
[pay]
reward = "0.60"
budget = "700.00"
[pay.bonus]
complete = "1.20"
partner_left = "0.60"
no_partner = "0.40"
unfinished = "1.00"
"""


def run(folder: Path) -> tuple[list[tuple[str, float, str, float]], dict[str, Any]]:
    """Hold the campaign in `folder`; return the claims, and what happened."""
    chat, mturk = (f"127.0.0.1:{free_port()}" for _ in range(2))
    config, db = folder / "campaign.toml", f"sqlite:///{folder}/chat.db"
    config.write_text(CAMPAIGN.format(chat=chat, mturk=mturk))
    campaign = load_campaign(config)
    pool, images = make_photos(folder, CONVERSATIONS)
    with (
        in_background(
            "", "mturk-emulator", "--db", folder / "mturk.db", "--port", mturk.split(":")[1],
            "--allow-http", up=f"http://{mturk}/", log=folder / "mturk.log",
        ),
        in_background(
            "", "serve", "--pool", pool, "--images", images, "--config", config, "--db", db,
            "--port", chat.split(":")[1], "--drain-seconds", "1",
            up=f"http://{chat}/healthz", log=folder / "serve.log",
        ),
    ):  # fmt: skip
        database = Database(db)
        recruiter = open_recruiter(campaign, database, {}, endpoint=f"http://{mturk}")
        launched = launch(database, recruiter, campaign)
        rehearsal = simulate(
            f"http://{chat}", campaign, pairs=PAIRS, rate=RATE, seed=SEED, log=None, shares=SHARES,
            patience=30, mturk=f"http://{mturk}", odd=ODD,
        )  # fmt: skip
        _review(database, recruiter, campaign)
        later = pay(database, recruiter, campaign, compensate=True)
        # Whoever handed nothing in can do so no more on the next day.
        for _ in range(2):
            pay(database, recruiter, campaign, compensate=True, clock=lambda: time.time() + DAY)
            collect_compensation(f"http://{mturk}", pairs=PAIRS, seed=SEED)
        last = pay(database, recruiter, campaign, compensate=True, clock=lambda: time.time() + DAY)
        compared = reconcile(database, recruiter, campaign)
        with urllib.request.urlopen(f"http://{mturk}/_emulator/books") as answer:
            books = json.load(answer)
        with database.read() as reader:
            people = finished(reader, campaign.name)
        database.close()
    promised: Counter[str] = Counter()
    for person in people:
        if person.kind is not None:
            promised[person.worker] += _cents(campaign.pay.reward)
            promised[person.worker] += _cents(bonus_of(campaign.pay, person.kind))
    got: Counter[str] = Counter()
    for entry in books["entries"]:
        if entry["worker"]:
            got[entry["worker"]] += entry["paid"]
    wrong = sorted(who for who in {*promised, *got} if promised[who] != got[who])
    claims = [
        ("conversations wanted", float(launched.need.conversations_left), ">=", CONVERSATIONS),
        ("people who got something else than was promised", float(len(wrong)), "<=", 0),
        ("differences between ledger and platform", float(len(compared.differences)), "<=", 0),
        (
            "spent, as a share of the budget",
            float(compared.platform_spent / campaign.pay.budget), "<=", 1,
        ),
        ("calls left or failed", float(last.carried.left + len(last.failed)), "<=", 0),
    ]  # fmt: skip
    about = {
        "workers": rehearsal.workers,
        "outcomes": rehearsal.outcomes,
        "paid": dict(Counter(str(person.kind) for person in people)),
        "waiting_for_compensation": later.people["may_still_submit"],
        "people_at_the_end": last.people,
        "spent_usd": str(compared.platform_spent),
        "budget_usd": str(campaign.pay.budget),
        "wrong": {who: [promised[who], got[who]] for who in wrong},
        "differences": [str(one) for one in compared.differences],
    }
    return claims, about


def _review(database: Database, recruiter: Recruiter, campaign: Campaign) -> None:
    """Approve by the rules of the campaign file, then the rest as a person who has looked.

    What the rules leave to a person here are codes that are somebody else's: the work was done.
    """
    synchronise(database, recruiter, campaign)
    with database.writing.begin() as connection:
        found = entries(connection, campaign)
        decisions = approvable(found, campaign)
        ruled = {decision.submission for decision in decisions}
        decisions += [
            Decision(entry.submission, "approve")
            for entry in found
            if entry.is_open and entry.kind is not None and entry.submission not in ruled
        ]
        decide(connection, campaign, recruiter.name, decisions)
    carry_out(database, recruiter, campaign)


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


if __name__ == "__main__":
    os.environ.setdefault("PHOTOCHAT_SECRET", secrets.token_urlsafe(32))
    os.environ.setdefault("PHOTOCHAT_ADMIN_TOKEN", secrets.token_urlsafe(32))
    with tempfile.TemporaryDirectory() as made:
        claimed, happened = run(Path(made))
    report("campaign", claimed, {**happened, "machine": machine("boto3", "flask-socketio")})
