use insta::assert_snapshot;

use crate::fixture::{TABLES, refusal, refusals};

#[test]
fn what_a_table_cannot_say_is_refused_with_a_way_out() {
    assert_snapshot!(refusals(&[
        "CREATE TABLE t (x INTT)",
        "CREATE TABLE t (x BLOB)",
        "CREATE TABLE t (x DECIMAL)",
        "CREATE TABLE t (x DECIMAL(40, 2))",
        "CREATE TABLE t (x DECIMAL(4, 5))",
        "CREATE TABLE t (x TIMESTAMP WITH TIME ZONE)",
        "CREATE TABLE t (x TIMESTAMP(7))",
        "CREATE TABLE t (x INT UNIQUE)",
        "CREATE TABLE t (x INT CHECK (x > 0))",
        "CREATE TABLE t (x INT, UNIQUE (x))",
        "CREATE TABLE t (x INT, PRIMARY KEY (y))",
        "CREATE TABLE t (x INT, PRIMARY KEY (x, x))",
        "CREATE TABLE t (x INT PRIMARY KEY, y INT PRIMARY KEY)",
        "CREATE TABLE t (x INT PRIMARY KEY) WITH ('materialized' = 'false')",
        "CREATE TABLE t (x INT, at TIMESTAMP) WITH ('materialized' = 'false', 'retention' = '7 days on at')",
        "CREATE TABLE t (x INT) WITH ('materialised' = 'false')",
        "CREATE TABLE t (x INT) WITH ('materialized' = 'maybe')",
        "CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 dys on at')",
        "CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 days')",
        "CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 days on att')",
        "CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 days on x')",
        "CREATE TABLE t (x INT DEFAULT 'abc')",
        "CREATE TABLE t (x TINYINT DEFAULT 300)",
        "CREATE TABLE t (x TIMESTAMP DEFAULT now())",
        "CREATE TABLE t (x INT, y INT DEFAULT x)",
        "CREATE TABLE t (x INT NOT NULL DEFAULT NULL)",
        "CREATE TABLE t AS SELECT id FROM orders",
        "CREATE TABLE IF NOT EXISTS t (x INT)",
        "CREATE TABLE t ()",
    ]), @r#"
    unsupported: the type INTT is not supported at line 2, column 19
    CREATE TABLE t (x INTT)
                      ^
    hint: did you mean INT?

    unsupported: the type BLOB is not supported at line 2, column 19
    CREATE TABLE t (x BLOB)
                      ^
    hint: use BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, DECIMAL(p, s), VARCHAR, VARBINARY, UUID, DATE, TIME, TIMESTAMP or TIMESTAMP(9)

    unsupported: a DECIMAL needs its precision and scale at line 2, column 19
    CREATE TABLE t (x DECIMAL)
                      ^
    hint: write for instance DECIMAL(18, 2)

    unsupported: DECIMAL(40, 2) is not possible at line 2, column 19
    CREATE TABLE t (x DECIMAL(40, 2))
                      ^
    hint: the precision is 1 to 38, the scale 0 to the precision

    unsupported: DECIMAL(4, 5) is not possible at line 2, column 19
    CREATE TABLE t (x DECIMAL(4, 5))
                      ^
    hint: the precision is 1 to 38, the scale 0 to the precision

    unsupported: the type TIMESTAMP WITH TIME ZONE is not supported at line 2, column 19
    CREATE TABLE t (x TIMESTAMP WITH TIME ZONE)
                      ^
    hint: use TIMESTAMP; times are UTC, so convert before you push

    unsupported: TIMESTAMP(7) is not supported at line 2, column 19
    CREATE TABLE t (x TIMESTAMP(7))
                      ^
    hint: use TIMESTAMP (microseconds) or TIMESTAMP(9) (nanoseconds)

    unsupported: UNIQUE is not supported in a column at line 2, column 17
    CREATE TABLE t (x INT UNIQUE)
                    ^
    hint: use NOT NULL, DEFAULT or PRIMARY KEY

    unsupported: CHECK (x > 0) is not supported in a column at line 2, column 30
    CREATE TABLE t (x INT CHECK (x > 0))
                                 ^
    hint: use NOT NULL, DEFAULT or PRIMARY KEY

    unsupported: this constraint is not supported at line 2, column 32
    CREATE TABLE t (x INT, UNIQUE (x))
                                   ^
    hint: PRIMARY KEY and NOT NULL are

    unknown_column: unknown column "y" at line 2, column 37
    CREATE TABLE t (x INT, PRIMARY KEY (y))
                                        ^
    hint: did you mean "x"?

    invalid_key: the column "x" is in the key twice at line 2, column 40
    CREATE TABLE t (x INT, PRIMARY KEY (x, x))
                                           ^
    hint: name it once

    invalid_key: a table has one PRIMARY KEY at line 2, column 36
    CREATE TABLE t (x INT PRIMARY KEY, y INT PRIMARY KEY)
                                       ^
    hint: for a key of several columns write PRIMARY KEY (a, b) at the end

    invalid_option: a table with PRIMARY KEY keeps its rows at line 2, column 42
    CREATE TABLE t (x INT PRIMARY KEY) WITH ('materialized' = 'false')
                                             ^
    hint: leave out 'materialized', or the PRIMARY KEY

    invalid_option: a table that keeps no rows has no retention at line 2, column 70
    CREATE TABLE t (x INT, at TIMESTAMP) WITH ('materialized' = 'false', 'retention' = '7 days on at')
                                                                         ^
    hint: leave out 'retention' or 'materialized'

    invalid_option: unknown option 'materialised' at line 2, column 30
    CREATE TABLE t (x INT) WITH ('materialised' = 'false')
                                 ^
    hint: did you mean "materialized"?

    invalid_option: 'maybe' is neither 'true' nor 'false' at line 2, column 30
    CREATE TABLE t (x INT) WITH ('materialized' = 'maybe')
                                 ^
    hint: write 'true' or 'false'

    invalid_option: "7 dys" is not an interval at line 2, column 44
    CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 dys on at')
                                               ^
    hint: write 'retention' = '<number> <unit> on <column>', for instance '7 days on at'

    invalid_option: '7 days' names no column at line 2, column 44
    CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 days')
                                               ^
    hint: write 'retention' = '<number> <unit> on <column>', for instance '7 days on at'

    unknown_column: unknown column "att" at line 2, column 44
    CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 days on att')
                                               ^
    hint: did you mean "at"?

    invalid_option: retention by "x" needs a time, and it is INTEGER at line 2, column 44
    CREATE TABLE t (x INT, at TIMESTAMP) WITH ('retention' = '7 days on x')
                                               ^
    hint: name a TIMESTAMP or DATE column

    invalid_default: the DEFAULT 'abc' is not a constant INTEGER: the constant expression CAST('abc' AS INTEGER) fails: cannot cast string 'abc' to value of INTEGER type at line 2, column 31
    CREATE TABLE t (x INT DEFAULT 'abc')
                                  ^
    hint: write a literal of the column's type

    invalid_default: the DEFAULT 300 is not a constant TINYINT: the constant expression CAST(300 AS TINYINT) fails: can't cast value 300 to type Int8 at line 2, column 35
    CREATE TABLE t (x TINYINT DEFAULT 300)
                                      ^
    hint: write a literal of the column's type

    not_deterministic: now() is not allowed here: it gives a different value each time at line 2, column 37
    CREATE TABLE t (x TIMESTAMP DEFAULT now())
                                        ^
    hint: call it in a query, or push its value in a column

    invalid_default: the DEFAULT x is not a constant INTEGER: schema error: No field named x at line 2, column 38
    CREATE TABLE t (x INT, y INT DEFAULT x)
                                         ^
    hint: write a literal of the column's type

    invalid_default: the DEFAULT of a NOT NULL column is NULL at line 2, column 40
    CREATE TABLE t (x INT NOT NULL DEFAULT NULL)
                                           ^
    hint: leave out DEFAULT or NOT NULL

    unsupported: CREATE TABLE takes columns, a PRIMARY KEY and WITH (…) only at line 2, column 1
    CREATE TABLE t AS SELECT id FROM orders
    ^
    hint: leave out other clauses; fill a table by pushing to it, derive one with CREATE VIEW

    unsupported: a program states what there is, so OR REPLACE and IF NOT EXISTS mean nothing at line 2, column 14
    CREATE TABLE IF NOT EXISTS t (x INT)
                 ^
    hint: write CREATE TABLE; setting the program again changes only what differs

    syntax: a table needs at least one column at line 2, column 14
    CREATE TABLE t ()
                 ^
    "#);
}

#[test]
fn other_statements_are_refused() {
    for statement in [
        "SELECT 1",
        "INSERT INTO orders VALUES (1)",
        "UPDATE orders SET n = 1",
        "DELETE FROM orders",
        "DROP TABLE orders",
        "ALTER TABLE orders ADD COLUMN x INT",
        "CREATE INDEX i ON orders (id)",
        "CREATE SCHEMA s",
        "CREATE FUNCTION f() RETURNS INT AS 'x'",
        "COPY orders TO 'x.csv'",
        "SET x = 1",
        "BEGIN",
        "TRUNCATE orders",
        "GRANT SELECT ON orders TO x",
    ] {
        let refusal = refusal(&format!("{TABLES}\n{statement}"));
        assert!(refusal.starts_with("unsupported: a program holds CREATE TABLE"), "{statement}: {refusal}");
    }
}
