"""The words that workers read unless the campaign file says others (after section 3.2)."""

from __future__ import annotations

from typing import Any

CONSENT = """\
You are invited to take part in a study about how people talk about photos. You will chat in \
writing with one other person for about ten minutes. What you both write, when you wrote it, \
whether it was pasted, and your answers to a few questions are stored, and will be published as \
research data without your name or worker id.

Please do not write anything that tells who you are: no real name, address, phone number or e-mail.

Taking part is voluntary. You can leave at any time, and you can have what you wrote removed \
before it is published: write to the contact below. Nothing happens to you if you do.\
"""

INSTRUCTIONS = """\
You will be matched with another person. Imagine that the two of you are old friends.

One of you has a photo and a line that says what is on it, and brings the talk to it as one would \
among friends. Both of you just talk; nobody has to take turns. The photo can be shared once \
{min_turns_before_share} messages have been written in all, and it should be shared at the moment \
when it fits. After that you both see it. Go on talking about it for as long as it is natural, \
then end the conversation and answer the short survey.

If you do not have the photo: do not ask which photo the other one has. Talk as if you knew of \
none. Do not talk about this task, and please write in English.\
"""

GOOD_EXAMPLES: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("A", "you will not believe where I am right now"),
        ("B", "please say it's not the office"),
        ("A", "a bakery! my sister opened it this morning"),
        ("B", "no way, she really did it? is it nice?"),
        ("A", "there's a queue out of the door and a cake as tall as my nephew"),
        ("B", "okay I need to see that cake"),
        ("A", "[shares the photo]"),
        ("B", "wow, who is going to eat all that?"),
    ),
    (
        ("A", "how was your weekend?"),
        ("B", "quiet, I fixed the fence. yours?"),
        ("A", "we picked up the puppy at last"),
        ("B", "aww! what did you name him?"),
        ("A", "Biscuit. he is asleep in the laundry basket"),
        ("A", "[shares the photo]"),
        ("B", "those ears! I'm coming over."),
    ),
)

BAD_EXAMPLE: tuple[tuple[str, str], ...] = (
    ("A", "hi"),
    ("B", "hi, do you have the photo or do I?"),
    ("A", "me. how many more messages do we need?"),
    ("B", "two"),
    ("A", "ok. ok."),
    ("A", "[shares the photo]"),
    ("B", "nice photo. done?"),
)
BAD_BECAUSE = (
    "They talk about the task instead of being friends, and nothing they say leads to the photo."
)

CHECK: list[dict[str, Any]] = [
    {
        "question": "Who are you and your partner in this chat?",
        "options": ["Old friends", "A customer and a clerk", "Two workers doing a task"],
        "answer": 1,
        "because": "Imagine that you are old friends.",
    },
    {
        "question": "When should the photo be shared?",
        "options": [
            "As the very first message",
            "When the talk has come to it and it fits",
            "Never",
        ],
        "answer": 2,
        "because": "The one who has it shares it when the talk has come to it.",
    },
    {
        "question": "What must you not write?",
        "options": [
            "What you did at the weekend",
            "Jokes",
            "Your phone number, address or e-mail",
        ],
        "answer": 3,
        "because": "Nothing that tells who you are belongs into the chat.",
    },
]

SURVEY: list[dict[str, Any]] = [
    {
        "name": "natural",
        "question": "How natural was the conversation?",
        "kind": "scale",
        "low": "not at all",
        "high": "like with a friend",
        "required": True,
    },
    {
        "name": "comments",
        "question": "Anything that went wrong, or that we should know?",
        "kind": "text",
    },
]
