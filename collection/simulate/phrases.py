"""What bots say. `{a}` is a thing with its article, `{it}` the thing alone, `{who}` a person.

Sharers' lines are keyed by what the photo shows, receivers' by what they have just heard of.
"""

from __future__ import annotations

OPENERS = (
    "hey! long time no talk, how have you been?",
    "hi there, are you busy?",
    "hello my friend, I have to tell you something",
    "hey you, how is your week going?",
    "good morning! did you sleep well?",
    "hi! I was just thinking of you",
    "hey, guess what I did yesterday",
    "hello! what are you up to today?",
)
GREETINGS = (
    "hi! nice to hear from you",
    "hey, I'm good, just a bit tired. you?",
    "oh hello! not much going on here, tell me everything",
    "hey hey, all fine on my side",
    "hi, I was about to write to you as well",
    "hello! the usual, work and more work",
    "good to hear from you, what's new?",
)
PEOPLE = (
    "I finally met {who} again",
    "{who} came over for a visit",
    "I spent the whole day with {who}",
    "do you remember {who}? we met up at the weekend",
    "{who} made me laugh so hard yesterday",
    "I ran into {who} downtown, what a surprise",
)
TOGETHER = (
    "{name} was so proud of {a}",
    "and {name} did not want to go home without {a}",
    "you should have seen {name} with {a}",
    "{name} had brought {a}, of all things",
    "of course there was {a}, that was {name}'s idea",
)
HINTS: dict[str, tuple[str, ...]] = {
    "food": (
        "we had {a} and I still can't stop thinking about it",
        "I tried {a} from that new place around the corner",
        "there was {a} on the table, it smelled wonderful",
        "I made {a} for the first time and it did not go wrong",
        "I should be on a diet, but I could not say no to {a}",
        "nothing makes me happier than {a} after a long day",
    ),
    "animal": (
        "I saw {a} up close, it looked straight at me",
        "we were walking and suddenly there was {a}",
        "there was {a} right in front of me and I forgot to breathe",
        "I have never been this near to {a} before",
        "I could watch {a} for hours",
    ),
    "product": (
        "I finally got myself {a}",
        "I have been looking for {a} for months, and there it was",
        "I found {a} at the flea market and had to take it home",
        "I spent too much on {a}, don't tell anybody",
        "my room looks so different with {a} in it",
    ),
    "other": (
        "and I noticed {a} there, it made the whole picture",
        "there was even {a}, I did not expect that",
        "you know how much I like {a}",
        "the best part was {a}, if you ask me",
        "I could not help looking at {a}",
    ),
    "people": (
        "I met so many nice people yesterday",
        "we were all together again after such a long time",
        "everybody was smiling the whole time",
        "it was so good to see a friendly face again",
    ),
}
MORE = (
    "I keep thinking about {it}",
    "did I say that {it} was the highlight of my day?",
    "everybody was talking about {it} afterwards",
    "you would have loved {it}",
    "there is a story behind {it}, I will tell you one day",
)
RUDE = (
    "what the fuck is taking you so long",
    "this is such bullshit",
    "you are a complete asshole",
    "shut up and let me finish, bitch",
    "mail me at jo.marten@mailbox.example then",
    "call me: 212-555-0134",
)
MORE_PEOPLE = (
    "{name} asked about you, by the way",
    "{name} looked so happy",
    "it is never boring with {name}",
    "{name} could not stop smiling",
    "{name} has not changed a bit",
)
OFFERS = (
    "hold on, I have a photo of {it}, I'm sending it to you",
    "you have to see {it}, one second",
    "I took a picture of {it}, look",
    "let me show you {it}",
    "words can't describe {it}, see for yourself",
)
SHARERS_COMMENTS = (
    "do you see {it}? that's what I meant",
    "isn't {it} great?",
    "I keep looking at {it} myself",
    "it's my favorite photo of the whole week",
    "the light was perfect at that moment",
    "I may print it and put it on the wall",
)
REACTIONS = (
    "wow, what a great photo!",
    "oh, that looks lovely!",
    "haha, I love this picture",
    "now I'm a little jealous",
    "thank you for showing me, that made my day",
    "I can see why you are so excited",
)
REACTIONS_TO_THING = (
    "wow, {it} looks even better than you said",
    "so that is {it}! beautiful",
    "I want to see {it} with my own eyes now",
    "{it} is the best part of the picture",
)
REPLIES: dict[str, tuple[str, ...]] = {
    "food": (
        "mmm, {it}! how did it taste?",
        "now I'm hungry, did you leave some {it} for me?",
        "I haven't had {it} in ages",
        "was {it} as good as it sounds?",
    ),
    "animal": (
        "no way! weren't you scared of {it}?",
        "aww, how big was {it}?",
        "I wish I had been there to see {it}",
        "did {it} let you come closer?",
    ),
    "product": (
        "nice! what does {it} look like?",
        "where did you get {it}?",
        "I have wanted something like that too, was it expensive?",
        "you and {it}, that fits so well",
    ),
    "people": (
        "how is {name} doing?",
        "say hello to {name} from me!",
        "{name}! I haven't seen {name} since last summer",
        "what did you and {name} do?",
    ),
    "other": (
        "really? tell me more",
        "that sounds like a lot of fun",
        "haha, only you",
        "and then what happened?",
        "oh, I wish I had been there",
        "sounds like a perfect day",
        "I can picture it already",
    ),
}
FILLERS = (
    "it was really something",
    "honestly, I needed that",
    "we should do this together some time",
    "the weather was on our side as well",
    "time went by so fast",
    "I can still see it before my eyes",
    "it was worth every minute",
    "that does not happen every day",
)
ASIDES = ("well,", "anyway,", "you know,", "haha,", "seriously,", "I mean,", "so yes,", "oh,")
GOODBYES = (
    "I have to run now, talk to you soon!",
    "let's meet this weekend, bye!",
    "okay, I'll call you later, take care",
    "gotta go, but this was nice. see you!",
    "bye for now, say hi to everybody",
)
