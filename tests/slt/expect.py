#!/usr/bin/env python3
"""Completes the expectations of the .slt files beside this script from their oracle.

    expect.py [--check] [FILE.slt ...]

The first line of a file names the oracle: `# oracle: PostgreSQL 15` (its server's programs must be installed; a cluster
of its own lives in a temporary folder while this runs) or `# oracle: DuckDB` (`pip install duckdb`). Each query gets its
types and its rows, sorted, cells separated by tabs. Records behind `onlyif` are ours alone and stay as they are, as do
files without oracle. `--check` changes nothing and fails where something would change.
"""

import datetime
import decimal
import glob
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def cell(value):
    """A value as the files write it; `None` is NULL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        return time(str(value))
    return str(value) or "(empty)"


def time(text):
    """A timestamp without zeros at the end of its fraction."""
    return text.rstrip("0").rstrip(".") if "." in text else text


class PostgreSql:
    """A private cluster; one psql runs a whole file."""

    INTEGERS = {"smallint", "integer", "bigint"}
    FLOATS = {"real", "double precision"}

    def __init__(self):
        installed = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [os.path.dirname(shutil.which("initdb") or "")]
        self.programs = pathlib.Path(installed[-1])
        self.folder = tempfile.mkdtemp(prefix="slt-postgresql-")
        # The server refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        self.data = f"{self.folder}/data"
        self.run("initdb", "-D", self.data, "-U", "slt", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-c listen_addresses= -k {self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", f"{self.folder}/log", "-o", options, "start")
        self.databases = 0

    def run(self, program, *arguments):
        command = [*self.user, str(self.programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def close(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def answers(self, steps):
        """Types and rows for each query among the steps, each `(is a query, SQL)`."""
        self.databases += 1
        database = f"slt_{self.databases}"
        self.run("createdb", "-h", self.folder, "-U", "slt", database)
        script = ["\\set ON_ERROR_STOP on", "SET intervalstyle = iso_8601;"]
        for is_query, sql in steps:
            if is_query:
                script += ["\\echo @types", f"{sql} \\gdesc", "\\echo @rows", f"{sql};", "\\echo @end"]
            else:
                script.append(f"{sql};")
        psql = ["psql", "-h", self.folder, "-U", "slt", "-d", database, "-X", "-q", "-A", "-t", "-F", "\t"]
        done = subprocess.run(
            [*self.user, *psql, "-P", "null=NULL"],
            input="\n".join(script), capture_output=True, text=True, cwd="/",
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        for part in done.stdout.split("@types\n")[1:]:
            types, rows = part.split("@rows\n")
            types = [line.split("\t")[1] for line in types.splitlines()]
            lines = rows.split("@end\n")[0].splitlines()
            yield self.letters(types), [self.row(line, types) for line in lines]

    def letters(self, types):
        return "".join("I" if t in self.INTEGERS else "R" if t in self.FLOATS else "T" for t in types)

    @staticmethod
    def row(line, types):
        def text(value, kind):
            if kind == "boolean":
                return {"t": "true", "f": "false"}.get(value, value)
            return value or "(empty)"

        return [text(*pair) for pair in zip(line.split("\t"), types, strict=True)]


class DuckDb:
    """A database in memory per file."""

    INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
    FLOATS = {"FLOAT", "DOUBLE"}

    def answers(self, steps):
        import duckdb

        with duckdb.connect() as connection:
            for is_query, sql in steps:
                answer = connection.execute(sql)
                if is_query:
                    types = [str(column[1]) for column in answer.description]
                    rows = [[cell(value) for value in row] for row in answer.fetchall()]
                    yield self.letters(types), rows

    def letters(self, types):
        return "".join("I" if t in self.INTEGERS else "R" if t in self.FLOATS else "T" for t in types)

    def close(self):
        pass


ORACLES = {"PostgreSQL 15": PostgreSql, "DuckDB": DuckDb}


def completed(text, oracle):
    """The file's text with what the oracle answers."""
    records = [record.split("\n") for record in text.rstrip("\n").split("\n\n")]
    places, steps = [], []
    for index, lines in enumerate(records):
        body = [line for line in lines if not line.startswith(("#", "skipif "))]
        if not body or body[0].startswith("onlyif"):
            continue
        is_query = body[0].startswith("query")
        if is_query:
            places.append(index)
        end = body.index("----") if is_query else len(body)
        steps.append((is_query, "\n".join(body[1:end])))
    for index, (types, rows) in zip(places, oracle.answers(steps), strict=True):
        lines = records[index]
        end = lines.index("----")
        head = [f"query {types} rowsort" if line.startswith("query ") else line for line in lines[:end]]
        records[index] = [*head, "----", *sorted("\t".join(row) for row in rows)]
    return "\n\n".join("\n".join(lines) for lines in records) + "\n"


def main(arguments):
    check = "--check" in arguments
    chosen = [pathlib.Path(a) for a in arguments if a != "--check"] or sorted(HERE.glob("*.slt"))
    oracles, changed = {}, []
    try:
        for path in chosen:
            text = path.read_text()
            name = text.split("\n", 1)[0].removeprefix("# oracle: ")
            if name not in ORACLES:
                continue
            oracle = oracles.get(name) or oracles.setdefault(name, ORACLES[name]())
            new = completed(text, oracle)
            if new != text:
                changed.append(path.name)
                if not check:
                    path.write_text(new)
    finally:
        for oracle in oracles.values():
            oracle.close()
    print(f"{len(chosen)} files, changed: {', '.join(changed) or 'none'}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
