"""Real dialogues made invalid on purpose, one generator per failing kind, to measure the checks.

Each takes a dialogue, a source of chance and other dialogues to borrow from, and returns the
corrupted dialogue, or None where it cannot be corrupted that way.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence

import msgspec

from photochat.dialogue import Dialogue, Turn
from verification.talk import Word, words_of

Corruption = Callable[[Dialogue, random.Random, Sequence[Dialogue]], "Dialogue | None"]

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_OTHER_LANGUAGES = {
    "Spanish": (
        "hola, ¿cómo estás? hace mucho que no hablamos", "muy bien, acabo de llegar del trabajo",
        "el fin de semana fuimos a la playa con los niños", "¿de verdad? ¿qué tal el tiempo?",
        "hacía mucho calor pero nos gustó bastante", "me alegro mucho por vosotros",
        "te voy a enseñar una cosa que vimos allí",
    ),
    "German": (
        "hallo, wie geht es dir? lange nichts gehört", "ganz gut, ich komme gerade von der Arbeit",
        "am Wochenende waren wir mit den Kindern am See", "wirklich? wie war denn das Wetter?",
        "es war sehr heiß, aber allen hat es gefallen", "das freut mich für euch",
        "ich zeige dir gleich etwas, das wir dort gesehen haben",
    ),
    "French": (
        "salut, comment vas-tu? ça fait longtemps", "très bien, je viens de rentrer du travail",
        "ce week-end nous sommes allés à la mer avec les enfants", "vraiment? il faisait beau?",
        "il faisait très chaud mais tout le monde était content", "je suis contente pour vous",
        "je vais te montrer quelque chose que nous avons vu",
    ),
    "Hindi in Latin letters": (
        "kya haal hai bhai, bahut din ho gaye", "main theek hoon, abhi kaam se aaya hoon",
        "hum log kal bazaar gaye the bachchon ke saath", "achha, kya kharida tumne wahan se",
        "kuch khaas nahi, bas thoda ghoomne gaye the", "chalo bahut achha laga sunke",
        "main tumhe kuch dikhata hoon jo humne dekha",
    ),
    "Russian": (
        "привет, как дела? давно не виделись", "хорошо, только что пришла с работы",
        "в выходные мы ездили с детьми на озеро", "правда? какая была погода?",
        "было очень жарко, но всем понравилось", "рада за вас", "сейчас покажу, что мы там видели",
    ),
}  # fmt: skip
_PROFANITY = (
    "what the fuck is wrong with you", "this is such bullshit", "shut up bitch",
    "he is a complete asshole", "fucking hell that is good", "you dumb cunt",
    "no shit, that looks great", "sh!t I forgot", "you f**king know it",
    "stop being a little bitch",
    "what a bunch of retards", "that motherfucker ate it all", "send nudes instead", "holy shit",
)  # fmt: skip
_EMAILS = (
    "write me at {a}.{b}@{host}.com", "my mail is {a}{n}@{host}.com",
    "{a}_{b}@{host}.co.uk works too",
    "{a} dot {b} at {host} dot com", "just use {a}(at){host}(dot)com",
    "{a}.{b} [at] {host} [dot] org",
    "mail: {a} @ {host} . com", "{a}{n} at {host} dot net is mine", "it's {A}.{B}@{HOST}.COM",
    "reach me on {a}+chat@{host}.io",
)  # fmt: skip
_PHONES = (
    "call me: {x}-{y}-{z}", "my number is ({x}) {y}-{z}", "text {x}{y}{z}", "+1 {x} {y} {z}",
    "it's {x}.{y}.{z}", "whatsapp me on +44 7{y} {y}{x}", "+49 30 {z}{y}", "ring {sx} {sy} {sz}",
    "{sx}, {sy}, {sz} is my cell", "{dx} {dy} {dz} call me", "00{x}{y}{z}",
)  # fmt: skip
_TASK = (
    "what photo did you get?", "which picture were you given?", "do you do a lot of mturk?",
    "how much does this hit pay?", "we have to talk five turns before I can share the photo",
    "the instructions say I must share the picture now", "did you get the completion code?",
    "I was given a photo of some people", "let's just finish the task", "this task takes too long",
    "do I click the share button now?", "how many turns do we need?", "this requester never pays",
    "the photo I was given is weird", "are we supposed to pretend we are friends?",
    "I think we need a few more messages before submitting the hit",
)  # fmt: skip
_ESSAYS = (
    "Photography is the art, application, and practice of creating images by recording light, "
    "either electronically by means of an image sensor, or chemically by means of a "
    "light-sensitive material. It is employed in many fields of science, manufacturing and "
    "business, as well as its more direct uses for art and recreational purposes.",
    "Certainly! Here is a short message you could send: It was a truly delightful experience that "
    "filled the whole room with warmth, laughter and gratitude. The carefully arranged table "
    "reflected the hosts' attention to detail, and every guest left with a smile.",
    "The city lies on the northern bank of the river and has about 240,000 inhabitants.[3] Founded "
    "in the twelfth century, it grew rapidly after the arrival of the railway in 1847 and is today "
    "known for its botanical garden, its university and its annual festival of chamber music.",
    "10 best places to eat near you - updated weekly! Read reviews, compare menus, book a table "
    "online and save up to 30% with our exclusive vouchers. Visit https://food.example.com/best "
    "for opening hours, directions and photos from 2,400 verified guests.",
)  # fmt: skip
_DIGITS = "zero one two three four five six seven eight nine".split()  # noqa: SIM905


def with_typos(rate: float) -> Corruption:
    """Misspell this share of the words (rounded up), among those of three letters or more."""

    def corrupt(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
        words = _said_words(dialogue)
        long = [(turn, word) for turn, word in words if len(word.text) > 2]
        count = min(math.ceil(rate * len(words)), len(long))
        return _with_misspelt(dialogue, draw.sample(long, count), draw)

    return corrupt


def with_chance_typos(rate: float) -> Corruption:
    """Misspell each word of three letters or more with probability `rate`.

    By chance some dialogues get no typo at all: one in ten at 5%.
    """

    def corrupt(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
        long = [(turn, word) for turn, word in _said_words(dialogue) if len(word.text) > 2]
        return _with_misspelt(dialogue, [one for one in long if draw.random() < rate], draw)

    return corrupt


def word_salad(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Shuffle the words of every message."""
    return _with_messages(dialogue, [_shuffled(turn.message, draw) for turn in dialogue.turns])


def broken_english(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Drop most little words, and swap neighbours here and there."""

    def message(text: str) -> str:
        words = [
            word for word in text.split() if word.lower() not in _LITTLE or draw.random() < 0.3
        ]
        for place in range(len(words) - 1):
            if draw.random() < 0.35:
                words[place], words[place + 1] = words[place + 1], words[place]
        return " ".join(words)

    return _with_messages(dialogue, [message(turn.message) for turn in dialogue.turns])


def other_language(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Put a talk in another language before the photo."""
    lines = _OTHER_LANGUAGES[draw.choice(sorted(_OTHER_LANGUAGES))]
    messages = [turn.message for turn in dialogue.turns]
    stop = dialogue.share_index or len(messages)
    for place in range(min(stop, len(messages))):
        messages[place] = lines[place % len(lines)]
    return _with_messages(dialogue, messages)


def profanity(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Say something rude in one message."""
    return _said(dialogue, draw, draw.choice(_PROFANITY))


def e_mail(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Give an e-mail address, in one of many spellings."""
    names = ("sam", "lena", "raj", "marta", "owen", "priya", "jo", "wei")
    a, b = draw.sample(names, 2)
    host = draw.choice(("gmail", "mailbox", "example", "yahoo", "postbox"))
    form = draw.choice(_EMAILS)
    text = form.format(
        a=a, b=b, host=host, n=draw.randint(1, 99), A=a.title(), B=b.title(), HOST=host.upper()
    )
    return _said(dialogue, draw, text)


def phone(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Give a phone number, in one of many spellings."""
    x, y, z = "".join(draw.choices("23456789", k=3)), "555", f"01{draw.randint(10, 99)}"
    parts = {"x": x, "y": y, "z": z}
    spelled = {f"s{k}": " ".join(_DIGITS[int(d)] for d in v) for k, v in parts.items()}
    spaced = {f"d{k}": " ".join(v) for k, v in parts.items()}
    return _said(dialogue, draw, draw.choice(_PHONES).format(**parts, **spelled, **spaced))


def task_talk(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Talk about the task in one message."""
    return _said(dialogue, draw, draw.choice(_TASK))


def shared_too_early(
    dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]
) -> Dialogue | None:
    """Move the photo to one of the first five places."""
    share = dialogue.share_index
    if share is None or len(dialogue.turns) < 3:
        return None
    turns = list(dialogue.without_share)
    turns.insert(draw.randint(0, min(4, len(turns) - 1)), dialogue.turns[share])
    return msgspec.structs.replace(dialogue, turns=tuple(turns))


def talk_after_share(
    dialogue: Dialogue, draw: random.Random, others: Sequence[Dialogue]
) -> Dialogue | None:
    """Move what was said before the share behind it; something else is said before.

    What is said before comes from a dialogue about another photo, as in the paper's bad example.
    """
    share = dialogue.share_index
    lent = [d for d in others if not set(d.labels) & set(dialogue.labels) and d.before_share]
    if not share or not lent:
        return None
    other = draw.choice(lent)
    turns = (
        *other.before_share,
        dialogue.turns[share],
        *dialogue.turns[:share],
        *dialogue.turns[share + 1 :],
    )
    return msgspec.structs.replace(dialogue, turns=turns)


def wrong_photo(
    dialogue: Dialogue, draw: random.Random, others: Sequence[Dialogue]
) -> Dialogue | None:
    """Put the photo of another dialogue in, none of whose labels is its own."""
    lent = [d for d in others if d.labels and not set(d.labels) & set(dialogue.labels)]
    if not lent or not dialogue.share_index:
        return None
    text = draw.choice(lent).photo_description
    return msgspec.structs.replace(dialogue, photo_description=text)


def pasted_text(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Paste a text of another kind into one message."""
    return _said(dialogue, draw, draw.choice(_ESSAYS))


def one_side_silent(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Leave the sharer's turns alone."""
    user = dialogue.sharer if dialogue.sharer is not None else dialogue.turns[0].user_id
    turns = tuple(turn for turn in dialogue.turns if turn.user_id == user)
    return msgspec.structs.replace(dialogue, turns=turns)


def keys_at_random(dialogue: Dialogue, draw: random.Random, _: Sequence[Dialogue]) -> Dialogue:
    """Hit keys at random in two messages."""
    for _time in range(2):
        text = " ".join(
            "".join(draw.choices("asdfghjklqwrtzxcvbnm", k=draw.randint(6, 12)))
            for _word in range(draw.randint(1, 3))
        )
        dialogue = _said(dialogue, draw, text)
    return dialogue


# Kind -> (generator, the checks of which one must find it).
CORRUPTIONS: dict[str, tuple[Corruption, tuple[str, ...]]] = {
    "typos in 5% of the words": (with_typos(0.05), ("typos",)),
    "typos in 10% of the words": (with_typos(0.10), ("typos",)),
    "typos in 20% of the words": (with_typos(0.20), ("typos",)),
    "each word misspelt with probability 5%": (with_chance_typos(0.05), ("typos",)),
    "each word misspelt with probability 10%": (with_chance_typos(0.10), ("typos",)),
    "word salad": (word_salad, ("broken-english", "fluency")),
    "broken English": (broken_english, ("broken-english", "fluency")),
    "other language": (other_language, ("not-english",)),
    "keys hit at random": (keys_at_random, ("gibberish",)),
    "profanity": (profanity, ("inappropriate",)),
    "e-mail address": (e_mail, ("personal-information",)),
    "phone number": (phone, ("personal-information",)),
    "talk about the task": (task_talk, ("task-talk",)),
    "shared too early": (shared_too_early, ("early-share", "photo-first")),
    "one side silent": (one_side_silent, ("silent-partner",)),
    "talk moved after the share": (talk_after_share, ("association-after-share", "association")),
    "photo of another dialogue": (wrong_photo, ("association", "association-after-share")),
    "pasted text": (pasted_text, ("pasted",)),
}

_LITTLE = frozenset(
    {
        "a",
        "an",
        "the",
        "is",
        "are",
        "am",
        "was",
        "were",
        "do",
        "does",
        "did",
        "to",
        "of",
        "in",
        "on",
    }
    | {"at", "for", "with", "and", "have", "has", "had", "be", "been", "will", "would", "can"}
    | {"could", "it", "i", "you"}
)


def corrupted(
    dialogues: Sequence[Dialogue], kind: str, seed: int = 0
) -> list[tuple[Dialogue, Dialogue]]:
    """Corrupt every dialogue that can be: (the sound one, the corrupted one)."""
    generator, _ = CORRUPTIONS[kind]
    draw = random.Random(f"{kind} {seed}")  # noqa: S311 - chance for measuring, not for secrets
    pairs = []
    for dialogue in dialogues:
        worse = generator(dialogue, draw, dialogues)
        if worse is not None:
            pairs.append((dialogue, worse))
    return pairs


def _with_messages(dialogue: Dialogue, messages: Sequence[str]) -> Dialogue:
    turns = tuple(
        turn if turn.share_photo else msgspec.structs.replace(turn, message=message)
        for turn, message in zip(dialogue.turns, messages, strict=True)
    )
    return msgspec.structs.replace(dialogue, turns=turns)


def _said(dialogue: Dialogue, draw: random.Random, text: str) -> Dialogue:
    """Put a message of its own at some place, said by whoever speaks there."""
    place = draw.randint(1, len(dialogue.turns))
    user = dialogue.turns[place - 1].user_id
    turns = (*dialogue.turns[:place], Turn(text, False, user), *dialogue.turns[place:])
    return msgspec.structs.replace(dialogue, turns=turns)


def _shuffled(text: str, draw: random.Random) -> str:
    words = text.split()
    draw.shuffle(words)
    return " ".join(words)


def _said_words(dialogue: Dialogue) -> list[tuple[int, Word]]:
    return [
        (index, word)
        for index, turn in enumerate(dialogue.turns)
        if not turn.share_photo
        for word in words_of(turn.message)
    ]


def _with_misspelt(
    dialogue: Dialogue, words: Sequence[tuple[int, Word]], draw: random.Random
) -> Dialogue:
    messages = [turn.message for turn in dialogue.turns]
    for index, word in sorted(words, key=lambda one: (one[0], -one[1].start)):
        before, after = messages[index][: word.start], messages[index][word.end :]
        messages[index] = before + _misspelt(word.text, draw) + after
    return _with_messages(dialogue, messages)


def _misspelt(word: str, draw: random.Random) -> str:
    """Let one letter slip; tried again where that changes nothing (the o of "too" swapped)."""
    for _time in range(20):
        slipped = _slip(word, draw)
        if slipped != word:
            return slipped
    return word


def _slip(word: str, draw: random.Random) -> str:
    place = draw.randrange(len(word) - 1)
    kind = draw.choice(("swap", "drop", "double", "neighbour"))
    if kind == "swap":
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "double":
        return word[:place] + word[place] + word[place:]
    return word[:place] + _neighbour(word[place], draw) + word[place + 1 :]


def _neighbour(letter: str, draw: random.Random) -> str:
    for row in _KEYS:
        at = row.find(letter.lower())
        if at >= 0:
            return draw.choice(re.sub(re.escape(letter.lower()), "", row[max(at - 1, 0) : at + 2]))
    return "x"
