"""The words that the checks look for: tables of English and of the language of papers, of no corpus in particular."""

from __future__ import annotations

import re

from assistant.terms import terms


def _stems(line: str) -> tuple[str, ...]:
    return tuple(term for word in line.split() for term in terms(word)[:1])


# Words of one line say the same of papers' results, so either may stand for the other.
_SYNONYM_LINES = """
patient participant subject individual person people volunteer respondent
woman women female
man men male
child children
mouse mice murine
rat rats
show demonstrate find report observe reveal indicate note document
propose introduce present develop design create build devise
method approach technique procedure algorithm
model system network
increase rise grow raise elevate boost
decrease reduce decline drop fall lower diminish cut shrink lessen
improve enhance better improvement
outperform surpass exceed beat
use employ utilize utilise apply adopt leverage
study trial investigation analysis
examine investigate explore assess evaluate test analyze analyse study
mortality death die dead
tumor tumour cancer neoplasm carcinoma
illness disease disorder
medication drug
doctor physician clinician
large big
small little tiny
begin start
end finish
need require necessitate
allow enable permit let
cause induce trigger provoke
help aid assist
aim goal objective
accuracy accurate
fast quick rapid speed
important key crucial critical essential vital
various different diverse several multiple many
whole entire full
about approximately roughly around
novel new
significant significantly
effect impact influence
associated association linked link correlated correlation related relation relationship
contain include comprise consist
risk hazard odds
dataset corpus collection
parameter weight
question query
answer response reply
train training
hospital clinic
worldwide global
yearly annual annually
prevent avoid
suggest imply
infant baby newborn neonate
elderly older
remain stay
choose select pick
obtain achieve reach attain get gain score
nearly almost
predict forecast prediction
error mistake
picture image
sentence utterance
surgery operation surgical
heart cardiac
brain cerebral
kidney renal
liver hepatic
lung pulmonary
"""
SYNONYM: dict[str, str] = {}
for _line in _SYNONYM_LINES.strip().splitlines():
    _group = _stems(_line)
    for _stem in _group:
        SYNONYM.setdefault(_stem, _group[0])

# Words of one line exclude each other: where the evidence has one and the claim another, one was put for the other.
_CONTRAST_LINES = """
mouse,mice,murine|rat|human|monkey,macaque,primate|zebrafish|dog,canine|cat,feline|pig,porcine,swine|rabbit|cow,cattle,bovine|sheep|horse|drosophila|yeast|bird|fish
man,men,male,boy|woman,women,female,girl
child,children,pediatric,paediatric|adult|adolescent,teenager|infant,neonate,newborn|elderly
encoder|decoder
precision|recall|accuracy|F1|AUC,AUROC|BLEU|ROUGE|perplexity
sensitivity|specificity
mean,average|median|maximum|minimum
systolic|diastolic
oral|intravenous|subcutaneous|topical|intramuscular|intranasal
placebo|active
dna|rna|protein|lipid|metabolite
image|video|audio,speech
prospective|retrospective
linear|quadratic|exponential|logarithmic|polynomial
january|february|march|april|june|july|august|september|october|november|december
monday|tuesday|wednesday|thursday|friday|saturday|sunday
asian|european|african|american
north,northern|south,southern|east,eastern|west,western
benign|malignant
acute|chronic
primary|secondary
encoding|decoding
pre-training,pretraining|fine-tuning,finetuning|inference
winter|summer|spring|autumn
arterial|venous
left|right
anterior|posterior
dorsal|ventral
proximal|distal
gram-positive|gram-negative
smoker|nonsmoker
urban|rural
obese|lean
kidney,renal|liver,hepatic|lung,pulmonary|heart,cardiac|brain,cerebral|skin,dermal|bone,skeletal|breast|prostate|colon,colorectal|pancreas,pancreatic|stomach,gastric|ovary,ovarian|bladder|thyroid
virus,viral|bacterium,bacteria,bacterial|fungus,fungal|parasite,parasitic
hypertension|hypotension
hyperglycemia|hypoglycemia
euclidean|hyperbolic
synthetic|real-world
single-blind|double-blind|open-label
teacher|student
doctor,physician|nurse|pharmacist
english|chinese|german|french|spanish|japanese|arabic|hindi|russian|italian|portuguese|korean
overfitting|underfitting
training|test,testing|validation
monolingual|multilingual|bilingual
offline|online
"""
CONTRAST: dict[str, tuple[int, int]] = {}  # stem → line, side; a word in two lines keeps its first
for _number, _line in enumerate(_CONTRAST_LINES.strip().splitlines()):
    for _side, _words in enumerate(_line.split("|")):
        for _word in _words.split(","):
            for _stem in terms(_word)[:1]:
                CONTRAST.setdefault(_stem, (_number, _side))

# Two poles of one quality: "+" words | "-" words.
_POLE_LINES = """
increase increased increases increasing rise rises rising rose grow grows grew growth raise raises raised elevate elevates elevated higher greater larger highest greatest largest boost boosts boosted upregulated up-regulated upregulation expand expands expanded amplify amplifies amplified widen widens widened surge climb climbs climbed longer longest heavier enlarge enlarged doubled tripled | decrease decreased decreases decreasing decline declines declined drop drops dropped fall falls fell lower lowered lowers lowest reduce reduces reduced reducing reduction smaller smallest diminish diminishes diminished downregulated down-regulated downregulation shrink shrinks shrank loss losses lose loses narrow narrowed shorter shortest cut cuts halved lighter lessen lessens
improve improved improves improving improvement better best superior outperform outperforms outperformed outperforming surpass surpasses surpassed exceed exceeds exceeded beat beats stronger strongest advantage favorable favourable benefit beneficial | worsen worsened worse worst inferior underperform underperforms underperformed degrade degrades degraded degradation deteriorate deteriorated weaker weakest disadvantage unfavorable unfavourable harm harmful harms hurt hurts impair impaired impairs trail trails lag lags
faster fastest accelerate accelerated accelerates speed speedup quicker quickest hasten earlier rapid rapidly fast | slower slowest slow slows slowed decelerate delay delayed later slowly
activate activates promote promotes promoted promoting stimulate stimulates stimulated induce induces enhance enhances enhanced enhancing enhancement trigger triggers facilitate facilitates strengthen strengthened strengthens potentiate upregulate upregulates | inhibit inhibits inhibited inhibition inhibitory suppress suppresses suppressed suppression block blocks blocked prevent prevents prevented attenuate attenuates attenuated hinder hinders hindered weaken weakened weakens repress repressed downregulate downregulates abolish abolished disrupt disrupts disrupted impede
positive positively | negative negatively inverse inversely
presence present | absence absent
agree agreement consistent concordant | disagree disagreement inconsistent discordant contradict contradicts
safe safely safety | unsafe dangerous
easy easier easiest simple easily | hard harder hardest difficult complex challenging challenge
abundant abundance plentiful ample plenty numerous | scant scarce scarcity dearth sparse shortage
doubled double doubles | halved half halves
lightweight light | heavyweight heavy
understood known studied | understudied underexplored unexplored unknown
reveal reveals show shows | conceal conceals hide hides
add adds adding added | remove removes removing removed
cheap cheaper cheapest inexpensive | expensive costly costlier
before | after following subsequent
success successful successfully succeed succeeds succeeded | failure fail fails failed unsuccessful
common commonly frequent frequently often widespread | rare rarely uncommon infrequent seldom scarce
protect protects protective protected | endanger susceptible vulnerable
gain | loss
high abundant | low scarce
early | late
strong strongly | weak weakly
alleviate alleviates mitigate mitigates relieve relieved ease eases | exacerbate exacerbates exacerbated aggravate aggravates worsen worsens
accept accepted | reject rejected
sufficient adequate | insufficient inadequate
include included | exclude excluded
underestimate underestimates underestimated | overestimate overestimates overestimated
maximize maximise maximum | minimize minimise minimum
gradual gradually | sudden suddenly abrupt abruptly
alone | combined combination together
robust robustly stable | fragile brittle unstable sensitive
more most | less fewer least fewest
unrelated independent | related dependent
similar similarly comparable equal equally equivalent same identical | different differ differs differed differences dissimilar distinct
"""
POLES: dict[str, list[tuple[int, int]]] = {}  # folded word → (line, +1 or -1)
for _number, _line in enumerate(_POLE_LINES.strip().splitlines()):
    for _sign, _side_words in zip((1, -1), _line.split("|"), strict=True):
        for _word in _side_words.split():
            _inflects = len(_word) >= 5 and not _line.startswith(("similar", "more most"))
            for _form in dict.fromkeys((_word, *(terms(_word)[:1] if _inflects else ()))):
                if all(line != _number for line, _ in POLES.get(_form, ())):
                    POLES.setdefault(_form, []).append((_number, _sign))
# Lines whose poles may stand for each other: "inhibits growth", "reduces growth"; "improves", "increases".
ALIKE = (0, 3)

NEGATION = re.compile(
    r"\b(?:not(?! only\b)|no(?! (?:more|less|fewer) than\b)|none|nothing|never|without|neither|nor|cannot|fail(?:s|ed|ing|ures?)?"
    r"|lack(?:s|ed|ing)?|deficien(?:t|cy|cies)|knock-?out|free (?:of|from)|unable|inability|incapable|absence|absent|unaffected|unchanged|hardly|scarcely|barely|rarely|seldom"
    r"|non-?significant(?:ly)?|insignificant(?:ly)?|ineffective|devoid|unlikely|impossible|nobody|nowhere|miss(?:es|ed|ing)"
    r"|refus(?:e|es|ed|ing)|den(?:y|ies|ied)|refut(?:e|es|ed)|rule[sd]? out|far from|short of|contrary to|disproves?d?"
    r"|unlike|hardly|little (?:or no|evidence|effect|impact|influence|difference|improvement|benefit)|ignor(?:e|es|ed|ing)|neglect(?:s|ed|ing)?|overlook(?:s|ed|ing)?|omit(?:s|ted)?|conceal(?:s|ed)?|leav(?:es?|ing) out"
    r"|unsupervised|zero-shot|\w+-free"
    r"|too \w+ to|(?:is|are|was|were|be) (?:false|untrue|wrong|a myth))\b|\w+n['’]t\b",
    re.IGNORECASE,
)
DOUBLE = re.compile(
    r"\bnot only\b|\bno (?:further|longer|more|less|fewer|later|earlier) than\b|\bno (?:more|less|fewer) than\b|\bwhether or not\b|\bif not\b",
    re.IGNORECASE,
)
NEGATIVE_PREFIXES = ("un", "in", "im", "ir", "il", "non", "dis", "in", "a", "mis")
_NEVER_PREFIXED = (
    "into inform include increase indeed under understand until unit unite universal impact improve impart important impose "
    "imply individual induce inflame invest involve internal interest intend invite input instance inside incur intent "
    "about above across again alike along amount apart arise aside avoid await await assign assess attest approach "
    "inhibit inject insight inspect institute instruct interact distribution discover discuss display distinct district "
    "dispose disease mission distance invent illness union unique import impress imprint"
)
# Words that deny without a "not": beside one of these, a "not" on the other side may be its paraphrase.
DENYING = re.compile(
    r"\b(?:un(?!it|iv|iq|der|til|less|ion)\w{4,}|in(?:ab|acc|act|adeq|approp|capa|comp|cons|corr|dep|diff|dir|eff|exp|freq|insig|suff|vari)\w+"
    r"|im(?:poss|prac|prec|prob|perf)\w+|ir(?:rel|rev|resp)\w+|non-?\w{4,}|only|solely|exclusively|first|few|fewer|less|less\w*|similar(?:ly)?|alike"
    r"|comparable|equal(?:ly)?|same|critical|essential|necess\w+|requir\w+|need(?:s|ed)?|avoid\w*|prevent\w*|block\w*|eliminat\w+|abolish\w*"
    r"|abrogat\w+|suppress\w*|remov\w+|exclud\w+|off|vanish\w*|disappear\w*|hard(?:er)?|difficult\w*|elusive|limited|remain\w*|under-?\w{5,}"
    r"|poor(?:ly)?|scant|scarce|rare(?:ly)?|seldom|however|despite|beyond|regardless|independent\w*|reject\w*|contrast)\b",
    re.IGNORECASE,
)
NEVER_PREFIXED = frozenset(_NEVER_PREFIXED.split())

# First parts of compounds that exclude each other: "multi-turn" and "single-turn".
_OPPOSED = (
    "low high,single multi,coarse fine,intra inter,pre post,over under,light heavy,hetero homo,mono multi,short long,small large,"
    "open closed,micro macro,up down,top bottom,early late,hyper hypo,in out,first last,self cross,hard soft,well poorly,mono bi,"
    "offline online,single double,less more,bottom up,extra intra,endo exo,anti pro"
)
OPPOSED_PARTS = frozenset(frozenset(pair.split()) for pair in _OPPOSED.split(","))

ALL = re.compile(
    r"\b(?:(?<!above )(?<!at )(?<!of )all|every|always|entirely|universal(?:ly)?|invariably|across the board|without exception|everywhere|never"
    r"|100\s?%)\b",
    re.IGNORECASE,
)
MOST = re.compile(
    r"\b(?:most(?!ly? (?:\w+ (?:accurate|common|recent|important)))|majority|mostly|mainly|usually|typically|generally|largely|"
    r"predominantly|primarily|chiefly|nearly all|almost all)\b",
    re.IGNORECASE,
)
SOME = re.compile(
    r"\b(?:some|several|sometimes|a few|few|certain|many|occasionally|partly|partial(?:ly)?|various|numerous|a (?:sub|small )?(?:set|number|"
    r"portion|fraction|minority|subset) of|minority|in part|half|third|quarter|not all|can)\b",
    re.IGNORECASE,
)
ONLY = re.compile(r"\b(?:only|solely|exclusively|merely|purely|nothing but)\b", re.IGNORECASE)

HEDGE = re.compile(
    r"\b(?:may|might|could|can|would|should|suggest(?:s|ed|ing|ive)?|possibl[ey]|possibility|potential(?:ly)?|likely|likelihood|appear(?:s|ed)?"
    r"|seem(?:s|ed|ingly)?|perhaps|presumably|putative(?:ly)?|hypothes\w+|speculat\w+|preliminary|tentative\w*|trend|tend(?:s|ed)?"
    r"|believed|thought to|expected|indicat\w+|hint\w*|plausib\w+|probab\w+|unclear|promising|in principle|candidate|impl(?:y|ies|ied)"
    r"|estimated?|predict\w*|propos\w+|aim\w*|if)\b",
    re.IGNORECASE,
)
WEAK = re.compile(
    r"\b(?:may|might|could|suggest(?:s|ed|ing|ive)?|possibl[ey]|potential(?:ly)?|likely|appear(?:s|ed)?(?= to)|seem(?:s|ed)?|perhaps|presumably"
    r"|putative(?:ly)?|hypothesi[sz]e\w*|speculat\w+|tentative\w*|thought to|plausib\w+|unclear)\b",
    re.IGNORECASE,
)
STRONG = re.compile(
    r"\b(?:prov(?:e|es|ed|en|ing) (?:that|the|a|its)|proofs? (?:that|of)|establish(?:es|ed) (?:that|the|a)|confirm(?:s|ed)?|definite(?:ly)?|definitive(?:ly)?|certainly|guarantee\w*"
    r"|conclusive(?:ly)?|undoubtedly|unquestionabl[ey]|without doubt|cure[sd]?)\b",
    re.IGNORECASE,
)
CAUSE = re.compile(
    r"\b(?:caus(?:e|es|ed|ing|al|ally|ation)|leads? to|led to|leading to|results? in|resulted in|resulting in|because|due to|owing to"
    r"|thanks to|drives?|driven by|driving|responsible for|triggers?|triggered|produces?|produced by|brings? about|attributable to|attributed to|owes|"
    r"stems? from|induces?|induced|makes?|made|prevents?|so that|therefore|thus|thereby|hence|consequence|contribut\w+|effects? of|"
    r"explains?|explained by|reason)\b",
    re.IGNORECASE,
)
CAUSE_STRICT = re.compile(
    r"\b(?:caus(?:e|es|ed|ing|al|ally|ation)|leads? to|led to|leading to|results? in|resulted in|resulting in|because|due to"
    r"|drives?|driven by|responsible for|triggers?|triggered|brings? about)\b",
    re.IGNORECASE,
)
ASSOCIATION = re.compile(
    r"\b(?:associat\w+|correlat\w+|link(?:s|ed)?|relat(?:ed|ion|ionship)|predict(?:s|ed|or|ors|ive)?|risk factors?|marker|biomarker|connected|"
    r"co-?occur\w*|accompan\w+)\b",
    re.IGNORECASE,
)
SCOPE = re.compile(
    r"\b(?:mice|mouse|murine|rats?|in vitro|in silico|cell lines?|animal(?: model)?s?|zebrafish|rabbits?|monkeys?|pigs?|cultured|"
    r"drosophila|yeast|ex vivo|simulations?|simulated)\b",
    re.IGNORECASE,
)

# Units in one spelling each; units of one line are the same unit.
_UNIT_LINES = """
% percent per_cent percentage pp point points percentage-point percentage-points pct
year years yr yrs year-old
month months mo
week weeks wk
day days
hour hours h hr hrs
minute minutes min mins
second seconds s sec secs
millisecond milliseconds ms
microsecond microseconds µs us
kg kilogram kilograms
mg milligram milligrams
µg ug microgram micrograms mcg
ng nanogram nanograms
g gram grams
km kilometre kilometer kilometers kilometres
cm centimetre centimeter
mm millimetre millimeter millimeters millimetres
µm um micrometer micrometre micron microns
nm nanometer nanometre
ml millilitre milliliter
µl ul microlitre
l litre liter
mol mole moles
mm mmol millimolar
gb gigabyte gigabytes
mb megabyte megabytes
tb terabyte terabytes
kb kilobyte
hz hertz
khz
mhz
ghz
°c degrees celsius
fold times x ×
dollar dollars usd $
token tokens
mmhg
"""
UNIT: dict[str, str] = {}
for _line in _UNIT_LINES.strip().splitlines():
    for _word in _line.split():
        UNIT.setdefault(_word, _line.split()[0])
# Units where the wrong one is a change of what is told; the rest (tokens, points) only describe.
MEASURED = re.compile(r"\d+(?:\.\d+)?(?:k|K|M|B|x|st|nd|rd|th|s|%|ms|kg|mg|g|h|cm|mm|nm|ml|fold|days?|years?|D|d)")

# Sentences that say what was to be found out, and those that say what was.
AIM = re.compile(
    r"\b(?:to (?:determine|assess|investigate|evaluate|examine|explore|test|study|compare|identify|understand|estimate)\b|whether|aim\w*"
    r"|objectives?|purpose|unclear|unknown|remains? (?:to be|poorly|elusive)|not (?:been )?(?:well |fully )?(?:understood|known)|hypothesi[sz]ed?)\b",
    re.IGNORECASE,
)
OUTCOME = re.compile(
    r"\b(?:conclusions?|conclude|results?|findings?|we (?:show|find|found|demonstrate|report|observed?|identif\w+|reveal)|showed|shown|found|"
    r"demonstrat\w+|suggest\w*|indicat\w+|reveal\w*|significant\w*|associated|increased|decreased|reduced|improved)\b",
    re.IGNORECASE,
)

# Ends of names of drugs and molecules (INN stems), which are written small.
DRUG = re.compile(
    r"[a-z]{3,}(?:mab|nib|statin|mycin|cillin|formin|sartan|prazole|conazole|vir|oxacin|cycline|gliptin|glutide|gliflozin|parin|"
    r"platin|taxel|rubicin|olol|pril|azepam|triptan|dipine|setron|lukast|ciclib|parib|caine|barbital|thiazide|semide|lactone)"
)
_NOT_NAMES = (
    "results background methods conclusions conclusion objective objectives introduction purpose findings design setting "
    "aim aims context importance abstract discussion interpretation method result type phase stage grade level class group "
    "task study trial table figure section appendix diabetes disease syndrome"
)
NOT_NAMES = frozenset(_NOT_NAMES.split())
# Words of frames and of general talk: missing ones tell nothing.
_FRAME = (
    "paper study authors author researchers team work article show shows find finds found report reports propose present "
    "introduce demonstrate according describe claim argue state note also additionally overall new approach method methods "
    "using achieve achieved achieves result results thus therefore while its their et al researcher investigators scientists "
    "writes write observed observe conclude concludes concluded reveal reveals indicate showed shown reported proved means "
    "way make makes made come comes came get gets got take takes took give gives gave become becomes became turn turns turned "
    "remain kind thing called named known"
)
FRAME = frozenset(terms(_FRAME))
