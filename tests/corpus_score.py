"""Prints how many recordings of the corpus give exactly what they must: `python tests/corpus_score.py`.

Ends with status 1 when one does not and there is no written reason for it, or when the corpus is absent.
"""

import sys

from support.corpus import CORPUS, KINDS, REASONS, cases, differences


def main() -> int:
    if not CORPUS.is_dir():
        sys.stdout.write(f"The recorded corpus is not at {CORPUS}.\n")
        return 1
    unexplained = 0
    lines = ["| kind | exact | files |  |", "| - | -: | -: | -: |"]
    notes: list[str] = []
    for kind in KINDS:
        files = cases(kind)
        judged = [(case, differences(case)) for case in files]
        wrong = [(case, found) for case, found in judged if found]
        exact = len(files) - len(wrong)
        lines.append(f"| {kind} | {exact} | {len(files)} | {100 * exact / max(len(files), 1):.1f} % |")
        for case, found in wrong:
            reason = REASONS.get(case.name)
            unexplained += reason is None
            notes.append(f"{kind}/{case.name}: {reason or 'NOT EXPLAINED'}")
            notes += [f"    {said}" for said in ([] if reason else found[:5])]
    sys.stdout.write("\n".join([*lines, "", *notes]) + "\n")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
