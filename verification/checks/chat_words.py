"""Chat spelling: laughter, sighs, short forms, and letters held down for feeling."""

from __future__ import annotations

import re

# Laughter, sighs and chat words that no dictionary has, and letters held down for feeling.
CHAT = re.compile(
    r"(?:b?w?a*(?:ha|he|hi|ja|je){2,}h?[aei]?|l+o+l+(?:o+l+)*|lmf?ao+|rofl|o+m+g+|x+d+|m+h*m+|h+m+|"
    r"a+w+e?s*|o+h+|a+h+|u+h+|e+w+|y+a+y+|w+o+w+s*|y+u+m+(?:m+y+)?|n+o+p+e+|y+e+p+|y+u+p+|a+r+g+h+|"
    r"u+g+h+|y+a+s+|y+e+a+h*|w+o+o+(?:h+o+)*|z+|sh+|ps+t+|brb|ttyl|idk|tbh|imo|btw|thx|tq|pls|plz|"
    r"ppl|bday|selfie\w*|vacay|whatcha|gotcha|wanna|gonna|gotta|kinda|sorta|dunno|lemme|gimme|ya'?ll|"
    r"y'?all|bff|bbq|tv|ok(?:ay)?|pics?|vids?|info|fav|delish|tho|cuz|coz|luv|rly|prob(?:ly|s)?|"
    r"def|congrats|insta\w*|covid|netflix|airbnb|nvm|smh|wbu|hbu|jk|np|ty|tysm|omw|asap|fyi|rn|hru|"
    r"wyd|gm|gn|u|r|ur|im|ive|id|ill|dont|cant|wont|didnt|doesnt|isnt|wasnt|thats|whats|hows|lets|"
    r"youre|theyre|hes|shes|theres|heres|couldnt|wouldnt|shouldnt|havent|hasnt|arent|werent|weve)",
    re.IGNORECASE,
)
HELD = re.compile(r"(.)\1{2,}")
