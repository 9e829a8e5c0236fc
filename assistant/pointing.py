"""The words with which a question points back at what was said: patterns of English, nothing of any corpus."""

from __future__ import annotations

import re

_FLAGS = re.IGNORECASE


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, _FLAGS)


ORDINALS = {
    "first": 0,
    "1st": 0,
    "second": 1,
    "2nd": 1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "fifth": 4,
    "5th": 4,
    "last": -1,
}
_THING = r"(?:papers?|stud(?:y|ies)|articles?|works?|methods?|approach(?:es)?|surveys?|reviews?|trials?|reports?|abstracts?)"
ORDINAL = _pattern(
    rf"\b(?:the\s+)?({'|'.join(ORDINALS)})\s+(?:one\b|{_THING}\b|of (?:them|these|those|the two)\b)(?:\s+(?:of (?:them|these|those)|"
    rf"you (?:mentioned|listed|named|cited|showed)|(?:in|on) the list))?"
    rf"|\bthe\s+({'|'.join(word for word in ORDINALS if word != 'last')})(?=\s*[?.!,:]|\s*$)"
    r"|(?:\b(?:number|no\.?|nr\.?|paper)\s*|\[)(?P<number>[1-9])\b\]?(?!\s*(?:%|\w))"
)
FORMER_LATTER = _pattern(r"\bthe\s+(former|latter)\b")
OTHER = _pattern(rf"\b(?:the|that) other(?: (?:one\b|{_THING}\b)|(?=\s*[?.!,:]|\s*$))")
OF_THESE = _pattern(
    r"\b(?:(?P<what>which|what|any|one|some|none|all|how many|who)(?: ones?)?) (?:of|among) "
    r"(?:these|those|them|the(?= (?:two|three|four|five)\b))(?: (?:two|three|four|five))?(?: papers| studies| works| methods)?\b"
)
# "the one on yeast", "the paper that …", "the survey": papers told apart by what they are about.
DESCRIBED = _pattern(
    rf"\b(?:the|that)\s+(?:\w+\s+)?(?P<noun>one|{_THING})\s+(?P<link>with|on|about|from|by|of|for|that|which|who|where|using|in|"
    r"dealing with|concerning|covering)\s+(?P<what>[^,:;?]+)"
)
WHICH_ONE = _pattern(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?)[\s,]+)*(?P<what>which)(?: (?:one|paper|study|method))?\b(?!\s+(?:papers|studies|of)\b)"
)
BY_KIND = _pattern(
    r"^\W*(?:and |ok(?:ay)?,? |so )?(?:the|that)\s+(?P<noun>survey|review|trial|benchmark|cohort|meta-analysis|guideline|letter)"
    r"(?:\s+(?P<one>one|paper))?\s*[,:]\s*(?P<rest>\S.*)"
)
BACK_TO = _pattern(
    r"^\W*(?:(?:ok(?:ay)?|now|let(?:'|’)?s go|going|can we go|let us go|coming|and|but)[\s,]+)*(?:back to|return(?:ing)? to|as for|"
    r"(?:again )?about|regarding|concerning|on)\s+(?P<what>[^,:;?]{1,120}?)\s*[,:;?–—-]\s*(?P<rest>\S.*)"
)
POSSESSIVE = _pattern(r"\b(?P<word>its|his|her)\b(?!\s+own\b)")
THEIR = _pattern(r"\btheirs?\b(?!\s+own\b)")
_NOUN = (
    r"(?:paper|study|article|work|method|approach|model|framework|technique|algorithm|system|dataset|benchmark|survey|trial|"
    r"experiment|intervention|treatment|therapy|drug|protein|gene|cohort|result|finding|analysis|review)s?"
)
POINTING = _pattern(
    rf"\b(?:this|that|these|those|the same)\s+(?:\w+\s+)?{_NOUN}\b"
    r"|\bthe (?:paper|study|article|authors)\b(?!\s+(?:of|on|about|by|from|with|that|which|where|who)\b)"
)
PRONOUN = _pattern(
    r"\bit\b(?! (?:when|if|that)\b)(?!(?:'s| is| was)? (?:possible|true|known|clear|necessary|important|common|that|the case)\b)"
    r"|\bthis\b(?!\s+\w+\s+\w)|\b(?:was|is|does|did|do|has|about|of|with|for|in|on|than|by) that\b(?!\s+\w+\s+(?:is|are|was|were)\b)"
    r"|\bthat\b(?=\s*[?.!,]|\s*$|\s+(?:work|mean|help|differ|compare|perform|do|based|shown|measured|give|take|cost|need)\b)"
)
THEY = _pattern(r"\b(?:they|them|these|those)\b(?!\s+(?:who|that|which|with)\b)")
EXPLETIVE = _pattern(
    r"\b(?:is it (?:possible|true|known|the case|safe|better)|how (?:long|far) is it|it (?:seems|turns out))\b"
)
SEVERAL = _pattern(
    rf"\b(?:(?:both|these two|the two|those two)(?= (?:{_THING}|ones|of them|use|do|differ|compare)\b|\s*[?.!,]|\s*$)(?: (?:{_THING}|ones|of them)\b)?"
    r"|each other\b|between them\b|compare (?:them|these|those)\b)"
)
# "Which neuron has its dendrites …": the pronoun's noun stands before it.
OWN_NOUN = _pattern(
    r"^\W*(?:and |but )?(?:which|what|whose)\s+(?!paper|study|one\b)\w[\w-]*\s+(?:\w+\s+)?(?:has|have|had|is|are|was|were|can|keeps?|loses?)\s+(?:its|their)\b"
)
WHAT_ABOUT = _pattern(
    r"^\W*(?:(?:but|so|ok(?:ay)?|also|then|well|thanks?|and(?=\s+(?:what|how|for)\b))[\s,!.]+)*(?:(?:what|how) about|what of|same (?:question )?for|and for|also for|and)\b[\s,]*"
)
LEADING = _pattern(r"^\W*(?:(?:and|but|so|also|then|well|ok(?:ay)?|hm+|right|alright|fine|good|great|cool|nice|thanks|thank you|"
                   r"lol|haha|sure|yes|no|i see|interesting|perfect|sorry|oh|ah)\b[\s,.!:;-]*)+")  # fmt: skip
CORRECTION = _pattern(
    r"^\W*(?:(?:no|nope|sorry|oh|wait|actually|oops|hm+|not (?:that|this)(?: one)?|i mean)\b[\s,.!:;–—-]*)*"
    r"(?:i (?:actually |really |rather )?(?:meant|mean|was asking about|asked about|(?:want|wanted)(?: to ask)? about)|"
    r"rather|make that|i(?:'d| would) rather (?:know|ask|hear) about)\b[\s,:]*(?P<what>\S.*)"
)
# "Now something else: …": said outright, and no part of the question.
NEW_TOPIC = _pattern(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?|well|thanks?|thank you|now|great|right|then)[\s,.!:;-]+)*"
    r"(?:(?:let(?:'|’)?s (?:talk about|turn to|go to|try|do) )?(?:something|anything) (?:else|different)(?: entirely| altogether)?"
    r"|(?:on )?(?:an?(?:other| new| (?:completely |totally |very )?different)?|new|different|unrelated) (?:topic|subject|question)"
    r"|(?:to )?chang(?:e|ing) (?:the )?(?:topic|subject))(?: now)?\s*[,:;.!–—-]+\s*(?P<rest>\S.*)"
)
SENTENCES = _pattern(r"\bin (?P<many>one|a single|two|three|[1-9]) (?:short )?sentences?\b")
SHORTER = _pattern(
    r"^\W*(?:(?:please|can you|could you|make (?:it|that)|say (?:it|that)|put (?:it|that)|a (?:bit|little)|much|be|in|too long|and|now|"
    r"give me|the|a|answer)[\s,]+)*(?:shorter|short|briefer|more brief(?:ly)?|more concise(?:ly)?|briefly|(?:one|a single) sentence|"
    r"shorten (?:it|that)|tl;?dr|too long|summari[sz]e (?:it|that)(?: in one sentence)?)\W*(?:(?:please|version|answer|again)\W*)*$"
)
LONGER = _pattern(
    r"^\W*(?:(?:please|can you|could you|give me|tell me|make (?:it|that)|a (?:bit|little)|i want|say|and|now|explain|the|a|with|in)[\s,]+)*"
    r"(?:(?:some |even )?more(?: details?| detailed| about (?:it|that|this))?|longer|elaborate|go on|continue|"
    r"expand(?: on (?:it|that|this))?|(?:in )?(?:more|full|greater) detail|details?|tell me more)\W*(?:(?:please|version|answer)\W*)*$"
)
LANGUAGES = {
    "german": "German",
    "deutsch": "German",
    "french": "French",
    "français": "French",
    "spanish": "Spanish",
    "español": "Spanish",
    "italian": "Italian",
    "italiano": "Italian",
    "portuguese": "Portuguese",
    "dutch": "Dutch",
    "polish": "Polish",
    "turkish": "Turkish",
    "russian": "Russian",
    "chinese": "Chinese",
    "japanese": "Japanese",
    "korean": "Korean",
    "arabic": "Arabic",
    "hindi": "Hindi",
}
LANGUAGE = _pattern(
    r"^\W*(?:(?:please|can you|could you|now|and|ok(?:ay)?|say|put|answer|explain|translate|give|repeat|tell|write|me|it|that|this|"
    r"the|answer|same|again|bitte)[\s,]+)*(?:in|in(?:to)|to|auf|en)\s+"
    rf"(?P<language>{'|'.join(LANGUAGES)})\W*(?:(?:please|bitte|too|version)\W*)*$"
)
WHY = _pattern(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?)[\s,]+)*(?:why|how come|how so|for what reason)(?: (?:is|was|would) (?:that|this|it))?(?: so)?\W*$"
)
HOW_MUCH = _pattern(
    r"^\W*(?:(?:and|but|so)[\s,]+)*(?:by )?how (?:much|many)(?: (?:better|worse|more|less|faster|higher|lower))?\W*$"
)
TOPIC = _pattern(
    r"^\W*(?:what|who) (?:(?:is|are|was|were)|(?:does|do|did)(?=.*\b(?:mean|stand for|do)[\s?.!]*$))\s+(?:(?:the|a|an)\s+)?"
    r"(?P<topic>.+?)(?:\s+(?:mean|stand for|do|about|like))?[\s?.!]*$"
    r"|^\W*(?:(?:tell me|what do (?:we|you) have) about|explain|describe|define)\s+(?:(?:the|a|an)\s+)?(?P<told>.+?)[\s?.!]*$"
)
LISTED_TOPIC = _pattern(
    r"\b(?:papers?|stud(?:y|ies)|works?|articles?|surveys?|reviews?|trials?|methods?)\s+(?:that\s+|which\s+)?(?:\w+\s+){0,2}?"
    r"(?:about|on|with|of|discuss|use|mention|study|cover|for|in)\s+(?P<topic>[^?]+?)[\s?.!]*$"
)
ASKS = _pattern(r"\b(?:which|what|who|whom|where|when|how)\b")
UNANCHORED = _pattern(r"\bhow much (?:\w+er|more|less|better|worse)\b(?!.*\bthan\b)")
CLAUSE = re.compile(r"[,:;.!?–—]\s")
# A word spelt as a name, not at the beginning: with a capital or a digit.
NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][\w-]+|\b\w*[A-Za-z]\d\w*|\b[A-Z]{2,}\w*")
# A question with a verb of its own; without one it is a fragment of the question before.
VERB = _pattern(
    r"\b(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might|whats?|hows|what's|who's|"
    r"compare|explain|describe|list|show|tell|give|name|summari[sz]e|find)\b"
)


def refers(text: str) -> bool:
    """Whether the text points back at something by a pronoun or a pointing noun."""
    plain = EXPLETIVE.sub(" ", text)
    return any(pattern.search(plain) for pattern in (POSSESSIVE, THEIR, POINTING, PRONOUN, THEY, SEVERAL))
