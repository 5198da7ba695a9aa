"""Answers queries by DuckDB, over standard input and output.

A request is lines `run SQL` and `ask SQL` up to a line `end`, over a database of its own. The answer is a line
`row<TAB>cell<TAB>…` per row (NULL is `\\N`) and a line `end` per query asked; or one line `error` with the reason.
"""

import sys

import duckdb


def answer(lines):
    with duckdb.connect() as connection:
        for line in lines:
            kind, sql = line.split(" ", 1)
            result = connection.execute(sql)
            if kind == "ask":
                for row in result.fetchall():
                    yield "\t".join(["row", *("\\N" if cell is None else cell for cell in row)])
                yield "end"


def main():
    lines = []
    for line in sys.stdin:
        line = line.rstrip("\n")
        if line != "end":
            lines.append(line)
            continue
        try:
            out = list(answer(lines))
        except duckdb.Error as error:
            out = ["error " + str(error).replace("\n", " ")]
        print("\n".join(out), flush=True)
        lines = []


main()
