"""Talk about the task, the platform or the photo as an assignment, instead of a conversation."""

from __future__ import annotations

import re

from verification.finding import Finding, Severity
from verification.talk import Talk

# What is said about nothing else.
_SURELY = re.compile(
    r"\bm[\s-]?turk(?:er|ers|ing|s)?\b|\bmechanical turk\b|\bturkers?\b|\bprolific\b(?!\s+\w+er)|"
    r"\bcompletion code\b|\bsurvey code\b|\brequesters?\b|\bthis hit\b|\b(?:the|next|another) hit\b"
    r"(?=\s+(?:is|was|pays?|says?|wants?|after|before))|"
    r"\b(?:share|send|sharing|click|press|hit)\s+(?:the\s+)?(?:photo|picture|image|pic)?\s*"
    r"(?:share|submit|finish|end|send)?\s*button\b|"
    r"\b(?:wh(?:at|ich)|did)\b[^.?!]{0,12}\b(?:photo|picture|image|pic|one)s?\b[^.?!]{0,12}"
    r"\b(?:you|u|they|we|were you)\s+(?:get|got|given|assigned|have been given|were given)\b|"
    r"\b(?:what|which)\s+(?:photo|picture|image|pic)\s+did\s+(?:you|u|they)\s+(?:get|give)\b|"
    r"\b(?:i|we)\s+(?:was given|were given|am given|have been given|was assigned)\s+"
    r"(?:a|an|the|this|some)\s+(?:photo|picture|image|pic)\b|"
    r"\b(?:photo|picture|image|pic)\s+(?:i|we|you)\s+(?:was|were|got|am|are|have been)\s+"
    r"(?:given|assigned)\b|"
    r"\b(?:they|it)\s+(?:gave|give|gives|assigned)\s+(?:me|us)\s+(?:a|an|the|this)?\s*"
    r"(?:\w+\s+)?(?:photo|picture|image|pic)\b|"
    r"\b(?:we|you|i)\s+(?:need|have|must|should|got|are supposed|am supposed)\s*(?:to)?\s+"
    r"(?:talk|chat|say|write|type|reach|send|share|do|finish|complete|have|make|wait)\b[^.?!]{0,30}"
    r"\b(?:turns|messages|the (?:photo|picture|image) (?:now|first|before|after)|"
    r"(?:this|the) (?:task|chat|conversation|dialogue?)|more (?:lines|times))\b|"
    r"\b(?:this|the|our|next|whole|another)\s+(?:task|assignment|study|experiment|data ?set)\b"
    r"(?=[^.?!]{0,40}\b(?:is|says?|wants?|pays?|done|over|about|ask|told|end|finish|submit|paid|"
    r"instructions?|ask(?:s|ed)?|supposed|photo|picture|chat|takes?)\b)|"
    r"\b(?:read|follow|see|says?|said in|according to|per|in)\s+the\s+"
    r"(?:instructions?|guidelines?)\b|"
    r"\bthe instructions?\s+(?:say|said|ask|tell|are|were)\b|"
    r"\b(?:how much|when)\b[^.?!]{0,25}\b(?:this|the) (?:task|hit|job|survey|study)\b|"
    r"\bget paid for this\b|\bpaid for (?:this|the) (?:chat|task|hit|study|conversation)\b|"
    r"\bhow many (?:more )?(?:turns|messages|lines)\b|"
    r"\b(?:submit(?:ting)?|finish(?:ing)?|end(?:ing)?|complet(?:e|ing))\s+(?:the|this|our)\s+(?:task|hit|survey|study|assignment|"
    r"chat|conversation|dialogue?)\b|"
    r"\bpretend (?:to be|that|we|you)\b|\bsupposed to (?:pretend|act|role)|\brole ?-?play",
    re.IGNORECASE,
)
# What may well be said of something else: a school task, a survey at work.
_PERHAPS = re.compile(
    r"\b(?:the|this) (?:task|survey|hit|study|experiment|assignment)\b|\bcrowd ?work|"
    r"\b(?:are you|r u) (?:a )?(?:real|bot|robot|human)\b|\byour (?:next )?hit\b|"
    r"\bthis (?:chat|app|platform|site|website)\b|\bchat ?partner\b|"
    r"\b(?:five|5|more) turns\b",
    re.IGNORECASE,
)


def task_talk(talk: Talk) -> list[Finding]:
    """Words about the task; a reviewer decides whether another task is meant."""
    found = []
    kinds: tuple[tuple[re.Pattern[str], Severity, str], ...] = (
        (_SURELY, "review", "They speak of the task, not as friends would."),
        (_PERHAPS, "note", "Perhaps they speak of the task."),
    )
    for index, message in enumerate(talk.messages):
        for pattern, severity, text in kinds:
            match = pattern.search(message)
            if match:
                found.append(Finding("task-talk", severity, text, index, *match.span()))
                break
    return found
