#!/usr/bin/env python3
"""Writes shlex.json: what Python's shlex.split makes of lines, for TestSplitCommandAsPython.

    python3 engine/testdata/splitcommand.py > engine/testdata/shlex.json
"""
import itertools
import json
import random
import shlex

lines = [
    "", " ", "a", "a b", " a  b ", "sh -c 'echo hi'", 'sh -c "echo hi"', "a\\ b", "a\\", "'", '"', "'a", '"a', "''", '""',
    "a''b", 'a""b', "'a'\"b\"c", '"a\\"b"', "'a\\'b'", '"\\a"', '"\\\\"', "\\\\", "\\n", "a\\\nb", '"a\\\nb"', "a\tb\r\nc",
    "echo $HOME `x` $(y)", "a#b", "# a", "a | b > c", "\u00e9\u00a0\u2003x", "a\vb\fc", "x='y z' w", "\\'a\\'", '"\'"', "'\"'",
]
# Every short line over the characters that matter.
for n in range(1, 6):
    lines += ["".join(t) for t in itertools.product("a \\'\"", repeat=n)] if n < 5 else []
rng = random.Random(1)
for _ in range(400):
    lines.append("".join(rng.choice("ab \t\n\\'\"$#;\u00e9") for _ in range(rng.randrange(5, 30))))

table = []
for line in dict.fromkeys(lines):
    try:
        table.append({"line": line, "words": shlex.split(line)})
    except ValueError:
        table.append({"line": line, "words": None})
print("[\n" + ",\n".join(json.dumps(row) for row in table) + "\n]")
