"""The database tables. The log of a conversation (`events`) is the truth; what stands beside it is
kept in the same transactions. Times are seconds since 1970 (UTC), as float."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Time = Float(53)
# SQLite numbers rows by itself only in a column of exactly this type.
Id = BigInteger().with_variant(Integer, "sqlite")

campaigns = Table(
    "campaigns",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("status", String(10), nullable=False, server_default="open"),  # open, paused, draining
    Column("changed_at", Time, nullable=False),
)

photos = Table(
    "photos",
    metadata,
    Column("campaign", String(40), ForeignKey("campaigns.name"), nullable=False),
    Column("photo_id", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("labels", Text, nullable=False),  # JSON list, as the release spells them
    Column("rank", Float(53), nullable=False),  # a random order, drawn by the campaign's seed
    Column("wanted", Integer, nullable=False),
    Column("leased", Integer, nullable=False, server_default="0"),  # in live conversations
    Column("completed", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("campaign", "photo_id"),
)
Index(None, photos.c.campaign, photos.c.completed, photos.c.rank)

participants = Table(
    "participants",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("campaign", String(40), ForeignKey("campaigns.name"), nullable=False),
    Column("worker", String(200), nullable=False),
    Column("assignment", String(200), nullable=False),
    Column("stage", String(12), nullable=False),
    Column("conversation", BigInteger, index=True),
    Column("generation", Integer, nullable=False, server_default="1"),
    Column("connection", Integer, nullable=False, server_default="0"),
    Column("process", String(36)),  # that holds the connection; null when there is none
    Column("last_seen", Time, nullable=False),
    Column("joined_at", Time, nullable=False),
    Column("consented_at", Time),
    Column("waiting_since", Time),
    Column("deadline", Time),
    Column("finished_at", Time),
    Column("check_attempts", Integer, nullable=False, server_default="0"),
    Column("outcome", String(12)),
    Column("reason", String(24)),
    Column("code", String(24)),  # what the worker hands in for payment
    Column("recruiter", Text),  # JSON: what the recruiter's link brought along
    UniqueConstraint("campaign", "worker", "assignment"),
)
Index(None, participants.c.campaign, participants.c.stage, participants.c.waiting_since)
Index(None, participants.c.deadline)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("campaign", String(40), ForeignKey("campaigns.name"), nullable=False),
    Column("photo_id", String(200), nullable=False),
    Column("sharer", BigInteger, ForeignKey("participants.id"), nullable=False),
    Column("receiver", BigInteger, ForeignKey("participants.id"), nullable=False),
    Column("phase", String(10), nullable=False),
    Column("seq", Integer, nullable=False),  # of the last event
    Column("started_at", Time, nullable=False),
    Column("ended_at", Time),
    Column("deadline", Time, index=True),
    Column("cause", String(24)),  # why it was abandoned, expired or ended by the clock
    Column("complete", Boolean, nullable=False, server_default="0"),
)
Index(None, conversations.c.campaign, conversations.c.phase)

events = Table(
    "events",
    metadata,
    Column("conversation", BigInteger, ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Time, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("by", String(8)),
    Column("client_id", String(64)),
    Column("data", Text, nullable=False),  # JSON object
    PrimaryKeyConstraint("conversation", "seq"),
    UniqueConstraint("conversation", "by", "client_id"),
)

seen = Table(  # who has seen which photo, as sharer or receiver
    "seen",
    metadata,
    Column("campaign", String(40), nullable=False),
    Column("worker", String(200), nullable=False),
    Column("photo_id", String(200), nullable=False),
    PrimaryKeyConstraint("campaign", "worker", "photo_id"),
)

met = Table(  # who has been paired with whom; both directions are stored
    "met",
    metadata,
    Column("campaign", String(40), nullable=False),
    Column("worker", String(200), nullable=False),
    Column("partner", String(200), nullable=False),
    PrimaryKeyConstraint("campaign", "worker", "partner"),
)

processes = Table(  # server processes that hold connections, and their last sign of life
    "processes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("alive_at", Time, nullable=False),
)

ledger = Table(  # every call that changes something at a recruiter's platform, before it is made
    "ledger",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("campaign", String(40), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("key", String(500), nullable=False),  # what makes it this call and no other
    Column("token", String(64), nullable=False, unique=True),
    Column("state", String(12), nullable=False),
    Column("worker", String(200)),
    Column("participant", BigInteger),
    Column("posting", String(200)),  # the platform's id; of a publish once it is known
    Column("submission", String(200)),  # the platform's id
    Column("units", Integer, nullable=False, server_default="0"),  # assignments asked for
    Column("amount", BigInteger, nullable=False, server_default="0"),  # cents, of all units
    Column("fee", BigInteger, nullable=False, server_default="0"),  # cents, of all units
    Column("promised", BigInteger, nullable=False, server_default="0"),  # cents: bonuses to come
    Column("released", BigInteger, nullable=False, server_default="0"),  # cents not needed any more
    Column("reason", Text, nullable=False, server_default=""),
    Column("payload", Text, nullable=False),  # JSON object: the call's arguments
    Column("result", Text),  # JSON: the platform's answer
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("not_before", Time, nullable=False, server_default="0"),
    Column("intended_at", Time, nullable=False),
    Column("first_sent_at", Time),
    Column("changed_at", Time, nullable=False),
    UniqueConstraint("campaign", "kind", "key"),
)
Index(None, ledger.c.campaign, ledger.c.state)
Index(None, ledger.c.campaign, ledger.c.posting)

postings = Table(  # what the platform showed of a campaign's postings when it was last asked
    "postings",
    metadata,
    Column("campaign", String(40), nullable=False),
    Column("id", String(200), nullable=False),  # the platform's
    Column("token", String(64)),
    Column("assignments", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("pending", Integer, nullable=False),  # accepted and not yet handed in
    Column("available", Integer, nullable=False),  # to be accepted
    Column("expires_at", Time),  # null: it does not expire by itself
    Column("seen_at", Time, nullable=False),
    PrimaryKeyConstraint("campaign", "id"),
)

submissions = Table(  # what was handed in there, and whose participation it is
    "submissions",
    metadata,
    Column("campaign", String(40), nullable=False),
    Column("id", String(200), nullable=False),  # the platform's
    Column("posting", String(200), nullable=False),
    Column("worker", String(200), nullable=False),
    Column("state", String(10), nullable=False),  # submitted, approved, rejected
    Column("code", Text),  # as the worker gave it
    Column("submitted_at", Time, nullable=False),
    Column("deadline", Time),  # when the platform approves it by itself
    Column("participant", BigInteger, ForeignKey("participants.id")),
    Column("finding", String(24)),  # what is odd about it, see collection/recruiting/matching.py
    Column("seen_at", Time, nullable=False),
    PrimaryKeyConstraint("campaign", "id"),
)
Index(None, submissions.c.campaign, submissions.c.state)

link_books = Table(  # the books of a campaign without a platform: who is to be paid, and was
    "link_books",
    metadata,
    Column("campaign", String(40), nullable=False),
    Column("token", String(200), nullable=False),  # the same is never written twice
    Column("kind", String(10), nullable=False),  # posting, extend, expire, approve, reject, bonus
    Column("posting", String(200)),
    Column("submission", String(250)),
    Column("worker", String(200)),
    Column("amount", BigInteger, nullable=False, server_default="0"),  # cents
    Column("reason", Text, nullable=False, server_default=""),
    Column("payload", Text, nullable=False, server_default="{}"),  # JSON object
    Column("at", Time, nullable=False),
    Column("paid_at", Time),
    Column("paid_reference", String(200)),
    PrimaryKeyConstraint("campaign", "token"),
)
