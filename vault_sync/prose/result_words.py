"""Words, English and French, by which a number reads like a result, and by which it does not.

The patterns are matched against text in lower case: ignoring case is several times slower.
"""

from __future__ import annotations

import re

SCORE = re.compile(
    r"\b(?:m?ap|average precision|pr[ée]cisions?|recall|rappel|accurac(?:y|ies)|exactitude|auc"
    r"|f1(?:[- ]scores?)?|f-?measure|score f1|(?:error|detection|success|miss) rates?"
    r"|taux (?:d['’]erreur|de (?:d[ée]tection|r[ée]ussite|faux positifs))"
    r"|(?:mean|average) iou|iou moyen|nme|sensiti(?:vity|bilité)|specificity|sp[ée]cificit[ée])\b",
)
"""How good a detector is."""
COUNT = re.compile(r"\b(?:params?|param[eè]t(?:er|re)s?|weights|poids)\b")
"""What a number of parameters is called."""
COST = re.compile(
    r"\b(?:latenc(?:y|ies|es?)|inf[ée]rence|run-?times?|speed|vitesses?|rapidit[ée]|d[ée]bit"
    r"|throughput|fps|[gm]?flops?|[gm]?macs?|model size|taille du mod[èe]le|memory|m[ée]moire"
    r"|footprint|empreinte|speed-?ups?|acc[ée]l[ée]rations?|op[ée]rations?)\b",
)
"""What a detector costs."""
ERROR = re.compile(
    r"\b(?:parit[ye]|parit[ée]|differences?|diff[ée]rences?|[ée]carts?|errors?|erreurs?|loss(?:es)?"
    r"|pertes?|deviations?|d[ée]viations?)\b",
)
BEST = re.compile(
    r"\b(?:best|meilleure?s?|highest|lowest|state[- ]of[- ]the[- ]art|sota|[ée]tat de l['’]art"
    r"|records?|outperforms?|d[ée]passe(?:nt)?|surpasse(?:nt)?|beats?|bat)\b",
)
COMPARED = re.compile(
    r"\b(?:faster|slower|smaller|lighter|fewer|quicker|better|worse|cheaper|larger|bigger"
    r"|(?:more|less) (?:accurate|efficient|compact|precise|memory|param\w*|comput\w*|operations)"
    r"|plus (?:rapides?|lente?s?|petite?s?|l[ée]g[eè]re?s?|pr[ée]cise?s?|efficaces?|compacte?s?"
    r"|grande?s?|grosse?s?|gros|vite)"
    r"|moins (?:de|d['’]|lourde?s?|co[uû]teu\w+|gourmande?s?|pr[ée]cise?s?)"
    r"|meilleure?s?|speed-?ups?|acc[ée]l[ée]r\w+|r[ée]ductions?|gains?|efficienc(?:y|e)"
    r"|efficacit[ée]|inf[ée]rence)\b",
)
"""What stands with `2.3×` where it compares two detectors."""
SETTING = re.compile(
    r"\b(?:dropout|dropblock|probabilit(?:y|ies|[ée]s?)|learning rates?|taux d['’]apprentissage|lr"
    r"|momentum|weight decay|warm-?up|batch(?:es)?|epochs?|[ée]poques?|iterations?|it[ée]rations?"
    r"|seeds?|graines?|thresholds?|seuils?|cut-?offs?|(?<!mean )iou(?! moyen)|nms|anchors?|ancres?"
    r"|strides?|priors?|crops?|recadrages?|flips?|splits?|confidence|confiance|padding"
    r"|temp[ée]ratures?|alpha|beta|gamma|lambda|patience"
    r"|(?:image|input) size|taille d['’](?:entr[ée]e|image)"
    r"|r[ée]solutions?|channels?|canaux|kernels?|noyaux?|dilations?|quantiles?"
    r"|percentiles?|centiles?"
    r"|significance|bootstrap|p-?value|timeouts?|d[ée]lai"
    r"|sleep|pauses?|smoothing|lissage|decay|d[ée]croissance|zoom|opacit[ée]|width|largeur|height"
    r"|hauteur|v?ram|dis[kq]ue?|storage|stockage|downloads?|t[ée]l[ée]charg\w+|archives?|zip"
    r"|limite?s?|webcam|camera|cam[ée]ra|vid[ée]os?|batterie|battery|t(?= ?=))\b",
)
"""What a number next to it is chosen and not found."""
SHARE_OF_DATA = re.compile(
    r"[*_ \u00a0]{0,3}(?:of|des?|du|de la|d['’]|de l['’])[ \u00a0]?"
    r"(?:the |our |les |nos |all |its )?"
    r"(?:training |validation |test |whole )?(?:images?|pictures|photos?|data\b|donn[ée]es|jeux? de"
    r"|sets?\b|dataset|corpus|[ée]chantillons?|samples?|batch\w*|train\w*|entra[iî]nement|epochs?"
    r"|time|temps|pages?|width|largeur|budget|steps?)",
    re.IGNORECASE,
)
INTERVAL = re.compile(
    r"[ \u00a0-]{0,2}(?:\(?(?:CI|IC)\b|confidence|confiance|intervals?|percentile|bootstrap)",
    re.IGNORECASE,
)
"""What follows a level of confidence."""
LINKED = re.compile(
    r"[ \t\r\n\u00a0:=≈~<>≤≥|*_(]{0,6}(?:(?:of|is|was|at|to|de|est|était|à|reaches|reached|atteint"
    r"|score|=|:|about|environ|only|seulement)[ \t\r\n\u00a0:=≈~<>≤≥*_(]{0,4}){0,3}",
    re.IGNORECASE,
)
"""What may stand between a word and the whole number that it names."""
LEVEL = re.compile(
    r"(?:\b[CI][IC]|(?i:confidence|confiance|level|niveau))\W{0,4}(?:of|at|à|de)?\W{0,3}\Z"
)
"""What stands before a level of confidence."""
NOT_LINKED = re.compile(
    r"[\d,;]|\b(?:reach|attei|obt|giv|donn|yield|achiev|find|found|trouv|improv|am[ée]lior|gain"
    r"|increas|augment|reduc|r[ée]du|drops|lose|lost|perd|sav|gagn|detect|d[ée]tect|result|r[ée]sult)"
)
"""What parts a setting from a number behind it: another number, or a verb of results."""
WORDS = {
    "score": SCORE,
    "count": COUNT,
    "cost": COST,
    "error": ERROR,
    "best": BEST,
    "compared": COMPARED,
    "setting": SETTING,
    "result": re.compile(f"{SCORE.pattern}|{COST.pattern}|{COUNT.pattern}"),
    "any": re.compile("|".join(kind.pattern for kind in (SCORE, COST, COUNT, ERROR, BEST))),
}
"""Kind -> its words, in lower case."""
