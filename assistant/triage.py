"""Is this a question for a corpus at all? Greetings, chores and chatter are told apart by their form alone."""

from __future__ import annotations

import re
import unicodedata

_SMALL_TALK = re.compile(
    r"^(?:(?:hi|hello|hey|howdy|yo|good (?:morning|afternoon|evening|night|day)|thanks?|thank you|thx|cheers|bye|goodbye|"
    r"see you|ok(?:ay)?|cool|nice|great|lol|haha|please|sorry|yes|no|yep|nope|hmm+|test|testing|ping|"
    r"how are you|how's it going|what's up|sup|nice to meet you|well done|good job|you there|anyone there)\b"
    r"(?:[\s,!.?]*(?:there|ibid|bot|assistant|everyone|all|again|so much|a lot|very much|for (?:your|the) help|doing|"
    r"today|you|buddy|friend|man|mate|doctor|professor|sir|madam))*[\s,!.?]*)+$",
    re.IGNORECASE,
)
_ABOUT_ASSISTANT = re.compile(
    r"\b(?:who|what) are you\b|\bwhat can you do\b|\bcan you help me\s*\??$|\bare you (?:a|an|real|human|sentient|"
    r"conscious|chatgpt|gpt|alive|happy|there|ok)\b|\b(?:what(?:'s| is)|tell me) your (?:name|favou?rite|opinion|age|"
    r"system prompt|instructions?|prompt)\b|\bhow old are you\b|\bwho (?:made|built|created|trained) you\b|"
    r"\bdo you (?:like|love|feel|think|know me|remember|dream|speak|have (?:an? )?(?:feelings?|emotions?|opinions?|names?|friends?|family|"
    r"body|soul|consciousness|memory))\b|\bhow are you\b|\bi (?:love|hate|miss) you\b|"
    r"\b(?:which|what) (?:\w+ )?(?:model|llm|ai|bot|version) are you\b",
    re.IGNORECASE,
)
_CHORE = re.compile(
    r"^\W*(?:(?:please|pls|can you|could you|would you|will you|i want you to|i need you to|kindly|now|ok(?:ay)?|hey|"
    r"just|go ahead and|help me(?: to)?)[\s,]+)*"
    r"(?:write|compose|draft|rewrite|paraphrase|proofread|draw|paint|sketch|sing|rap|joke|translate|calculate|compute|"
    r"solve|implement|code|program|debug|refactor|fix|book|order|buy|sell|call|phone|email|mail|send|text|play|turn|"
    r"open|close|start|stop|restart|install|uninstall|delete|remove|erase|drop|wipe|format|run|execute|ignore|forget|"
    r"disregard|pretend|act|roleplay|imagine|repeat|say|echo|reply|respond|set|remind|schedule|wake|cook|plan|invest|"
    r"generate|create|make|build|bake|guess|count|spell|recite|role-play|transfer|pay|hack|download|upload|print|"
    r"reveal|output|sort|convert)\b",
    re.IGNORECASE,
)
_CHORE_ABOUT_PAPERS = re.compile(
    r"^\W*(?:\w+\W+){0,5}?(?:summary|overview|comparison|list|tl;?dr|short description|review|bullet points?)\b.{0,40}"
    r"\b(?:of|on|about|between)\b",
    re.IGNORECASE,
)
_TELL_ME = re.compile(
    r"\b(?:tell|sing|give|write|make) (?:me |us )?(?:a |an |another |some )?(?:\w+ )?(?:joke|story|poem|song|haiku|riddle|"
    r"fun fact|bedtime story|limerick|recipe|essay|compliment|quote of the day)s?\b",
    re.IGNORECASE,
)
_HERE_AND_NOW = re.compile(
    r"\bweather\b.*\b(?:today|tomorrow|now|like|in|this)\b|\bwhat(?:'s| is)? (?:the )?(?:time|date|day)\b(?: is it|.*\b(?:now|today"
    r"|it)\b|\s*\??$)|\bwhat (?:time|day) is it\b|\b(?:latest|today's|breaking) news\b|\b(?:stock|share|bitcoin|gold) price\b|"
    r"\bis it (?:raining|snowing|cold|hot|sunny)\b|\bnear me\b|\bwho (?:won|is winning) (?:the )?(?:game|match|election|"
    r"world cup|super bowl)\b",
    re.IGNORECASE,
)
_OVERRIDE = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|rules|prompts?|guidelines|above|previous)\b|"
    r"\b(?:system|hidden|initial) prompt\b|\byou are now\b|\bjailbreak mode\b|\bdeveloper mode\b|\bfrom now on\b",
    re.IGNORECASE,
)
_ARITHMETIC = re.compile(
    r"^\W*(?:what(?:'s| is)|how much is|calculate|compute|solve)?\s*[\d\s.,()^+\-*/×÷=x%]+\W*$", re.IGNORECASE
)
_PERSONAL = re.compile(
    r"\b(?:i'm|im|i've|am i|i (?:am|was|feel|have|had|got|want|need|like|love|hate|live|work|own)|me|my|mine|we should|"
    r"our (?:dog|cat|kids?|house|car|company|wedding))\b|\byou(?:r|rs)?\b",
    re.IGNORECASE,
)
_SEARCHING = re.compile(
    r"\b(?:i am|i'm|im) (?:looking|searching|interested)|\bshow me\b|\btell me\b|\bgive me\b|\bfind me\b|\bcan you\b",
    re.I,
)


def not_for_a_corpus(text: str) -> bool:
    """Whether the text's form alone says that no corpus of papers could answer it.

    >>> not_for_a_corpus("Hello there!"), not_for_a_corpus("What does the method improve?")
    (True, False)
    """
    stripped = " ".join(text.split())
    if not _has_words(stripped) or _SMALL_TALK.match(stripped) or _ARITHMETIC.match(stripped):
        return True
    if _CHORE.match(stripped) and not _CHORE_ABOUT_PAPERS.match(stripped):
        return True
    patterns = (_ABOUT_ASSISTANT, _TELL_ME, _HERE_AND_NOW, _OVERRIDE)
    return any(pattern.search(stripped) for pattern in patterns)


def personal(text: str) -> bool:
    """Whether the text speaks of the user or the assistant: a hint, once nothing in the corpus fits it.

    The "I" of "how do I …" stands for anyone and says nothing.
    """
    return _PERSONAL.search(_SEARCHING.sub(" ", text)) is not None


def _has_words(text: str) -> bool:
    """Whether some token reads as a word or an identifier, in any script."""
    for token in re.findall(r"[^\W_]+", text):
        letters = [character for character in token if unicodedata.category(character).startswith("L")]
        if len(letters) >= 2 and (not token.isascii() or len(token) <= 6 or _pronounceable(token)):
            return True
        if letters and any(character.isdigit() for character in token):
            return True
    return False


def _pronounceable(token: str) -> bool:
    """False for keyboard mashing: an ASCII token with six consonants on end, or hardly a vowel."""
    lower = token.lower()
    vowels = sum(character in "aeiouy" for character in lower)
    return vowels >= len(lower) / 6 and re.search(r"[bcdfghjklmnpqrstvwxz]{6,}", lower) is None
