r"""Gives LaTeX back the backslashes that it lost on the way through a JSON string.

A model that writes `"\frac{1}{2}"` in JSON means `\frac`, but JSON reads `\f` as a form feed. Five
letters are such escapes: b (backspace), f (form feed), n (line feed), r (carriage return) and t
(tab). The sixth, `\u`, wants four hex digits, and any other letter is no escape at all: a JSON
reader refuses those texts, so they cannot arrive here damaged.
"""

from __future__ import annotations

import re

# Commands in common mathematical use, by their first letter. A control character followed by the
# rest of one of these names, and by no further letter, is that command.
COMMANDS: dict[str, tuple[str, ...]] = {
    "b": tuple(
        """
        begin beta bar binom boxed bmod bf big bigg bigl bigr biggl biggr bigm biggm bigcup bigcap bigoplus bigotimes
        bigodot bigsqcup biguplus bigvee bigwedge bigcirc bigstar bigtriangleup bigtriangledown boldsymbol boldmath
        bold bm bra braket breve bullet bot bowtie because between beth blacksquare blacktriangle blacktriangleleft
        blacktriangleright blacklozenge boxplus boxminus boxtimes boxdot box bcancel brace brack backslash backsim
        backsimeq backprime barwedge bumpeq buildrel bigskip bfseries
        """.split()
    ),
    "f": tuple("frac forall flat fbox frown fallingdotseq frak footnotesize fcolorbox framebox".split()),
    "n": tuple(
        """
        nabla ne neq nu neg not notin ni nmid nparallel nleq nleqslant ngeq ngeqslant nless ngtr nonumber newline
        nexists nsubseteq nsupseteq nsubset natural nearrow nwarrow normalsize nolimits ncong nsim nprec nsucc npreceq
        nsucceq ntriangleleft ntriangleright nvdash nvDash nrightarrow nleftarrow nleftrightarrow nLeftarrow
        nRightarrow nLeftrightarrow nobreak norm newcommand nicefrac
        """.split()
    ),
    "r": tuple(
        """
        right rho rangle rightarrow rvert rVert rfloor rceil rm root rbrace rbrack rgroup rmoustache rightharpoonup
        rightharpoondown rightleftharpoons rightleftarrows rightrightarrows rightarrowtail rightsquigarrow
        rightthreetimes rtimes rule risingdotseq raisebox rlap restriction rmfamily ref
        """.split()
    ),
    "t": tuple(
        """
        theta tan tanh tau times to text textbf textit textrm textsf texttt textup textnormal textstyle textcolor
        textsuperscript textsubscript textmd textsl textsc tfrac tbinom top triangle triangleq triangleleft
        triangleright trianglelefteq trianglerighteq triangledown tilde tag therefore thickapprox thicksim tiny tt
        thinspace thickspace twoheadrightarrow twoheadleftarrow tr
        """.split()
    ),
}


_CONTROL = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


# After a line feed or a tab, these rests are also words or variables of an undamaged text
# ("e = 2.7", "an apple"): they count as commands only where mathematics surrounds them.
_AMBIGUOUS = {
    "n": frozenset({"ne", "nu", "ni", "norm", "null"}),
    "t": frozenset({"tan", "to", "top", "tag", "tr", "tt"}),
}


_RESTS = {c: sorted((name[1:] for name in COMMANDS[letter]), key=len, reverse=True) for c, letter in _CONTROL.items()}
_DAMAGE = re.compile("|".join(f"{re.escape(c)}(?:{'|'.join(rests)})(?![A-Za-z])" for c, rests in _RESTS.items()))


# A command of the same letters that still has its backslash: the writer escaped properly.
_UNDAMAGED = re.compile(r"\\[bfnrt][a-z]+")


_OPERAND_BEFORE = re.compile(r"[A-Za-z0-9)}\]][ ]?$")


_OPERAND_AFTER = re.compile(r" ?(?:[-\\({]|\d|[A-Za-z]\b)")


# A model that fears the escape writes `frac{1}{2}` without any backslash; no other reading begins so.
_BARE = re.compile(r"(?<![\\A-Za-z\t\f\b\r])(?=(?:[dt]?frac|sqrt)\{)")


def repair_latex(text: str) -> str:
    r"""Restore commands whose backslash and first letter became a control character, or whose backslash is gone.

    `"\x0crac{1}{2}"` and `frac{1}{2}` become `\frac{1}{2}`. Line feeds and tabs before anything else stay.
    """
    text = _BARE.sub(r"\\", text)
    if not any(control in text for control in _CONTROL):
        return text
    pieces: list[str] = []
    end = 0
    escaped = bool(_UNDAMAGED.search(text))
    for match in _DAMAGE.finditer(text):
        letter = _CONTROL[match[0][0]]
        command = letter + match[0][1:]
        before, after = "".join(pieces) + text[end : match.start()], text[match.end() :]
        ambiguous = command in _AMBIGUOUS.get(letter, ())
        if ambiguous and (escaped or not _in_mathematics(command, before, after)):
            continue
        pieces += [text[end : match.start()], "\\" + command]
        end = match.end()
    return "".join(pieces) + text[end:]


def _in_mathematics(command: str, before: str, after: str) -> bool:
    dollars = before.replace(r"\$", "")
    if dollars.count("$$") % 2 == 1 or dollars.replace("$$", "").count("$") % 2 == 1:
        return True
    if before.count(r"\(") > before.count(r"\)") or before.count(r"\[") > before.count(r"\]"):
        return True
    if command in ("ne", "to"):
        return bool(_OPERAND_BEFORE.search(before) and _OPERAND_AFTER.match(after))
    if command == "tan":
        return bool(re.match(r"[ ]?(?:[\\({^]|[A-Za-z0-9]\b)", after))
    return bool(re.search(r"\\[A-Za-z]|[\^_]", before)) and not before.endswith((".", ":", "\n"))
