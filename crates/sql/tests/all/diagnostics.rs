use insta::assert_snapshot;

use crate::fixture::{TABLES, compile_text, refusal};

/// The refusal of each statement, behind the shared tables; the tables' lines are not counted.
fn refusals(statements: &[&str]) -> String {
    let refusals = statements.iter().map(|statement| refusal(&format!("{TABLES}\n{statement}")));
    refusals.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn a_place_is_counted_in_lines_and_characters() {
    let text = "CREATE TABLE t (\n  \"größe\" INT,\n  größer\tDOUBLE, x INTT);";
    let diagnostic = compile_text(text).unwrap_err();
    assert_eq!((diagnostic.line, diagnostic.column), (3, 20));
    assert_snapshot!(diagnostic, @"");
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let columns = (0..200).map(|index| format!("column_{index} INT, ")).collect::<String>();
    assert_snapshot!(refusal(&format!("CREATE TABLE t ({columns} x INTT, {columns} y INT)")), @"");
}

#[test]
fn syntax_errors_point_at_the_word() {
    assert_snapshot!(refusals(&[
        "CREATE VIEW v AS SELEC id FROM orders",
        "CREATE VIEW v AS SELECT id FROM",
        "CREATE VIEW v AS SELECT id id2 id3 FROM orders",
        "CREATE VIEW v AS SELECT 'open FROM orders",
        "CREATE TABLE t (x INT y INT)",
        "CREATE",
        "CREATE VIEW v AS SELECT (id FROM orders",
    ]), @"");
}

#[test]
fn unknown_names_come_with_near_ones() {
    assert_snapshot!(refusals(&[
        "CREATE VIEW v AS SELECT custmer FROM orders",
        "CREATE VIEW v AS SELECT o.custmer FROM orders o",
        "CREATE VIEW v AS SELECT id FROM orders WHERE \"ID\" = 1",
        "CREATE VIEW v AS SELECT zzz FROM customers",
        "CREATE VIEW v AS SELECT * FROM ordrs",
        "CREATE VIEW v AS SELECT * FROM later; CREATE VIEW later AS SELECT id FROM orders",
        "CREATE VIEW v AS SELECT * FROM v",
        "CREATE VIEW v AS SELECT x.id FROM orders o",
        "CREATE VIEW v AS SELECT uper(customer) AS u FROM orders",
        "CREATE VIEW v AS SELECT no_such_function(customer) AS u FROM orders",
        "CREATE VIEW v AS SELECT id FROM orders a JOIN orders b ON a.id = b.id",
    ]), @"");
}

#[test]
fn type_errors_point_at_a_column_or_call() {
    assert_snapshot!(refusals(&[
        "CREATE VIEW v AS SELECT id, customer + 1 AS x FROM orders",
        "CREATE VIEW v AS SELECT id FROM orders WHERE customer",
        "CREATE VIEW v AS SELECT id FROM orders WHERE at > 5",
        "CREATE VIEW v AS SELECT round(customer) AS r FROM orders",
        "CREATE VIEW v AS SELECT sum(customer) AS s FROM orders",
        "CREATE VIEW v AS SELECT CAST(id AS TIME) AS x FROM orders",
        "CREATE VIEW v AS SELECT at - at AS x FROM orders",
        "CREATE VIEW v AS SELECT customer, amount FROM orders GROUP BY customer",
        "CREATE VIEW v AS SELECT id, n FROM orders UNION ALL SELECT x FROM raw",
    ]), @"");
}

#[test]
fn constants_that_fail_are_refused() {
    assert_snapshot!(refusals(&[
        "CREATE VIEW v AS SELECT id, 1 / 0 AS x FROM orders",
        "CREATE VIEW v AS SELECT id FROM orders WHERE n > 9223372036854775807 + 1",
        "CREATE VIEW v AS SELECT coalesce(n, CAST('x' AS INT)) AS x FROM orders",
    ]), @"");
}

#[test]
fn names_are_unique_and_the_systems_are_kept() {
    assert_snapshot!(refusals(&[
        "CREATE TABLE Orders (x INT)",
        "CREATE VIEW customers AS SELECT id FROM orders",
        "CREATE TABLE quarantine (x INT)",
        "CREATE VIEW error_view AS SELECT id FROM orders",
        "CREATE TABLE _t (x INT)",
        "CREATE TABLE \"\" (x INT)",
        "CREATE TABLE a.b (x INT)",
        "CREATE TABLE t (x INT, X INT)",
        "CREATE TABLE t (_x INT)",
        "CREATE VIEW v AS SELECT id, id FROM orders",
        "CREATE VIEW v AS SELECT a.id, b.id FROM orders a JOIN orders b ON a.id = b.id",
        "CREATE VIEW v (a, A) AS SELECT id, n FROM orders",
        "CREATE VIEW v (a) AS SELECT id, n FROM orders",
    ]), @"");
}

#[test]
fn what_a_view_cannot_say_is_refused_with_a_way_out() {
    assert_snapshot!(refusals(&[
        "CREATE VIEW v AS SELECT id FROM orders ORDER BY id",
        "CREATE VIEW v AS SELECT id FROM orders LIMIT 5",
        "CREATE VIEW v AS SELECT id FROM orders FETCH FIRST 5 ROWS ONLY",
        "CREATE VIEW v AS SELECT DISTINCT id FROM orders",
        "CREATE VIEW v AS SELECT id, now() AS t FROM orders",
        "CREATE VIEW v AS SELECT id, CURRENT_TIMESTAMP AS t FROM orders",
        "CREATE VIEW v AS SELECT id, random() AS r FROM orders",
        "CREATE VIEW v AS SELECT id, row_number() OVER (ORDER BY id) AS r FROM orders",
        "CREATE VIEW v AS SELECT id FROM orders QUALIFY row_number() OVER (ORDER BY id) = 1",
        "CREATE VIEW v AS SELECT id FROM orders WHERE id IN (SELECT x FROM raw)",
        "CREATE VIEW v AS SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM raw)",
        "CREATE VIEW v AS SELECT id FROM orders WHERE id = (SELECT max(x) FROM raw)",
        "CREATE VIEW v AS SELECT o.id FROM orders o LEFT JOIN customers c ON o.customer = c.name",
        "CREATE VIEW v AS SELECT o.id FROM orders o CROSS JOIN customers c",
        "CREATE VIEW v AS SELECT o.id FROM orders o, customers c",
        "CREATE VIEW v AS SELECT o.id FROM orders o JOIN customers c ON o.customer < c.name",
        "CREATE VIEW v AS SELECT o.id FROM orders o JOIN customers c ON o.customer IS NOT DISTINCT FROM c.name",
        "CREATE VIEW v AS SELECT id FROM orders NATURAL JOIN customers",
        "CREATE VIEW v AS SELECT count(DISTINCT id) AS n FROM orders",
        "CREATE VIEW v AS SELECT count(*) FILTER (WHERE id > 1) AS n FROM orders",
        "CREATE VIEW v AS SELECT stddev(amount) AS s FROM orders",
        "CREATE VIEW v AS SELECT customer, count(*) AS n FROM orders GROUP BY ROLLUP (customer)",
        "CREATE VIEW v AS SELECT id FROM orders UNION SELECT x FROM raw",
        "CREATE VIEW v AS SELECT id FROM orders EXCEPT SELECT x FROM raw",
        "CREATE VIEW v AS SELECT [id] AS a FROM orders",
        "CREATE VIEW v AS SELECT 1 AS x",
        "CREATE VIEW v AS VALUES (1)",
        "CREATE VIEW v AS WITH RECURSIVE t AS (SELECT id FROM orders) SELECT * FROM t",
        "CREATE VIEW v AS SELECT * FROM generate_series(1, 5)",
        "CREATE VIEW v AS SELECT id FROM orders WHERE id = $1",
        "CREATE OR REPLACE VIEW v AS SELECT id FROM orders",
        "CREATE TEMPORARY VIEW v AS SELECT id FROM orders",
        "CREATE VIEW v AS SELECT count(*) AS n FROM raw",
        "CREATE VIEW p AS SELECT x FROM raw; CREATE VIEW v AS SELECT x, count(*) AS n FROM p GROUP BY x",
    ]), @"");
}

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
    ]), @"");
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
