use headwater_sql::{QueryError, QueryOptions, QueryRelation, QuerySource};
use headwater_types::TimestampMicros;
use insta::assert_snapshot;

use crate::fixture::{compile_text, orders, run, table};

#[test]
fn rows_of_all_segments_are_read() {
    assert_snapshot!(table("SELECT * FROM orders ORDER BY id", vec![orders()]), @r#"
    +----+----------+--------+---------------------+
    | id | customer | amount | at                  |
    +----+----------+--------+---------------------+
    | 1  | ada      | 12.5   | 1970-01-01T00:00:01 |
    | 2  | bob      | 3.0    | 1970-01-01T00:00:02 |
    | 3  | ada      | 7.5    | 1970-01-01T00:00:03 |
    | 4  |          | 1.0    | 1970-01-01T00:00:04 |
    +----+----------+--------+---------------------+
    "#);
}

#[test]
fn aggregates_order_and_limit_work_in_queries() {
    let text = "SELECT customer, SUM(amount) AS total, COUNT(*) AS n FROM orders GROUP BY customer \
                ORDER BY total DESC NULLS LAST LIMIT 2";
    assert_snapshot!(table(text, vec![orders()]), @r#"
    +----------+-------+---+
    | customer | total | n |
    +----------+-------+---+
    | ada      | 20.0  | 2 |
    | bob      | 3.0   | 1 |
    +----------+-------+---+
    "#);
}

#[test]
fn windows_distinct_subqueries_and_outer_joins_work_in_queries() {
    let text = "SELECT DISTINCT o.id, row_number() OVER (ORDER BY o.id) AS r, p.id AS later
                FROM orders o LEFT JOIN orders p ON p.id = o.id + 2
                WHERE o.id IN (SELECT id FROM orders WHERE amount > 1) ORDER BY o.id";
    assert_snapshot!(table(text, vec![orders()]), @r#"
    +----+---+-------+
    | id | r | later |
    +----+---+-------+
    | 1  | 1 | 3     |
    | 2  | 2 | 4     |
    | 3  | 3 |       |
    +----+---+-------+
    "#);
}

#[test]
fn recursive_queries_work() {
    let text = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT sum(n) AS s FROM t";
    assert_snapshot!(table(text, vec![]), @r#"
    +----+
    | s  |
    +----+
    | 10 |
    +----+
    "#);
}

#[test]
fn now_is_the_given_time() {
    let options = QueryOptions { now: TimestampMicros(1_000_000_000_000_000), ..QueryOptions::default() };
    let text = "SELECT now() AS a, CURRENT_TIMESTAMP AS b, CURRENT_DATE AS c, now() - INTERVAL '1 day' AS d, \
                current_time() AS e";
    let result = run(text, vec![], options).unwrap();
    assert_snapshot!(arrow::util::pretty::pretty_format_batches(&result.batches).unwrap(), @r#"
    +---------------------+---------------------+------------+---------------------+----------+
    | a                   | b                   | c          | d                   | e        |
    +---------------------+---------------------+------------+---------------------+----------+
    | 2001-09-09T01:46:40 | 2001-09-09T01:46:40 | 2001-09-09 | 2001-09-08T01:46:40 | 01:46:40 |
    +---------------------+---------------------+------------+---------------------+----------+
    "#);
}

#[test]
fn a_plain_view_is_expanded() {
    let program = compile_text(
        "CREATE TABLE orders (id BIGINT, customer VARCHAR, amount DOUBLE, at TIMESTAMP);
         CREATE VIEW named AS SELECT id, coalesce(customer, 'nobody') AS who, amount FROM orders;
         CREATE VIEW spend (who, total) AS SELECT who, SUM(amount) FROM named GROUP BY who;",
    )
    .unwrap();
    let view = |index: usize| {
        let view = &program.views[index];
        QueryRelation { name: view.name.clone(), source: QuerySource::View(view.clone()) }
    };
    let text = "SELECT * FROM spend JOIN named USING (who) WHERE total > 2 ORDER BY id";
    assert_snapshot!(table(text, vec![view(1), orders(), view(0)]), @r#"
    +-------+----+-----+--------+
    | total | id | who | amount |
    +-------+----+-----+--------+
    | 20.0  | 1  | ada | 12.5   |
    | 3.0   | 2  | bob | 3.0    |
    | 20.0  | 3  | ada | 7.5    |
    +-------+----+-----+--------+
    "#);
}

#[test]
fn every_answer_has_column_types() {
    let text = "SELECT count(*) AS n, max(at) - min(at) AS d, NULL AS nothing, arrow_cast(5, 'UInt64') AS u, \
                arrow_cast('x', 'Utf8View') AS v, to_timestamp('2026-01-01T00:00:00Z') AS t FROM orders";
    let result = run(text, vec![orders()], QueryOptions::default()).unwrap();
    let types = result.schema.fields().iter().map(|field| field.data_type().to_string()).collect::<Vec<_>>();
    assert_snapshot!(types.join(", "), @"Int64, Utf8, Utf8, Int64, Utf8, Timestamp(ns)");
    assert_snapshot!(arrow::util::pretty::pretty_format_batches(&result.batches).unwrap(), @r#"
    +---+------+---------+---+---+---------------------+
    | n | d    | nothing | u | v | t                   |
    +---+------+---------+---+---+---------------------+
    | 4 | PT3S |         | 5 | x | 2026-01-01T00:00:00 |
    +---+------+---------+---+---+---------------------+
    "#);
}

#[test]
fn times_are_compared_with_texts_in_their_own_unit() {
    let text = "SELECT id FROM orders WHERE at >= '1970-01-01 00:00:02' AND at < '9000-01-01' \
                AND at BETWEEN '1970-01-01' AND '1970-01-01T00:00:03' AND at NOT IN ('1970-01-01T00:00:03') ORDER BY id";
    assert_snapshot!(table(text, vec![orders()]), @r#"
    +----+
    | id |
    +----+
    | 2  |
    +----+
    "#);
}

#[test]
fn an_empty_answer_has_a_schema() {
    let result =
        run("SELECT id FROM orders WHERE id > 100", vec![orders()], QueryOptions::default()).unwrap();
    assert_eq!((result.num_rows(), result.schema.fields().len()), (0, 1));
}

#[test]
fn only_one_select_is_a_query() {
    let all = [
        "-- nothing",
        "SELECT 1; SELECT 2",
        "INSERT INTO orders VALUES (1)",
        "DELETE FROM orders",
        "CREATE TABLE t (x INT)",
        "DROP TABLE orders",
        "SET x = 1",
        "EXPLAIN SELECT 1",
        "COPY orders TO 'x.csv'",
        "SHOW TABLES",
        "SELECT * FROM ordres",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM 'orders.csv'",
        "SELECT idd FROM orders",
        "SELECT id FROM orders WHERE customer > 1 + at",
        "WITH t AS (DELETE FROM orders RETURNING id) SELECT * FROM t",
        "SELECT make_it(id) FROM orders",
        "SELECT id INTO x FROM orders",
    ];
    let answers =
        all.map(|text| format!("{text}\n    {}", table(text, vec![orders()]).replace('\n', "\n    ")));
    assert_snapshot!(answers.join("\n"), @r#"
    -- nothing
        error: the query is empty at line 1, column 1
        -- nothing
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    SELECT 1; SELECT 2
        error: a query is one statement at line 1, column 11
        SELECT 1; SELECT 2
                  ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    INSERT INTO orders VALUES (1)
        error: a query is a SELECT at line 1, column 1
        INSERT INTO orders VALUES (1)
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    DELETE FROM orders
        error: a query is a SELECT at line 1, column 1
        DELETE FROM orders
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    CREATE TABLE t (x INT)
        error: a query is a SELECT at line 1, column 1
        CREATE TABLE t (x INT)
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    DROP TABLE orders
        error: a query is a SELECT at line 1, column 1
        DROP TABLE orders
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    SET x = 1
        error: a query is a SELECT at line 1, column 1
        SET x = 1
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    EXPLAIN SELECT 1
        error: a query is a SELECT at line 1, column 1
        EXPLAIN SELECT 1
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    COPY orders TO 'x.csv'
        error: a query is a SELECT at line 1, column 1
        COPY orders TO 'x.csv'
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    SHOW TABLES
        error: a query is a SELECT at line 1, column 1
        SHOW TABLES
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    SELECT * FROM ordres
        error: unknown relation "ordres" at line 1, column 15
        SELECT * FROM ordres
                      ^
        hint: did you mean "orders"?
    SELECT * FROM information_schema.tables
        error: unknown relation "information_schema.tables" at line 1, column 15
        SELECT * FROM information_schema.tables
                      ^
        hint: tables and views here: orders
    SELECT * FROM 'orders.csv'
        error: unknown relation "orders.csv" at line 1, column 1
        SELECT * FROM 'orders.csv'
        ^
        hint: tables and views here: orders
    SELECT idd FROM orders
        error: unknown column "idd" at line 1, column 8
        SELECT idd FROM orders
               ^
        hint: did you mean "id"?
    SELECT id FROM orders WHERE customer > 1 + at
        error: cannot coerce arithmetic expression BIGINT + TIMESTAMP to valid types at line 1, column 44
        SELECT id FROM orders WHERE customer > 1 + at
                                                   ^
    WITH t AS (DELETE FROM orders RETURNING id) SELECT * FROM t
        error: query DELETE FROM orders RETURNING id not implemented yet at line 1, column 1
        WITH t AS (DELETE FROM orders RETURNING id) SELECT * FROM t
        ^
    SELECT make_it(id) FROM orders
        error: unknown function "make_it" at line 1, column 8
        SELECT make_it(id) FROM orders
               ^
    SELECT id INTO x FROM orders
        error: a query is a SELECT at line 1, column 1
        SELECT id INTO x FROM orders
        ^
        hint: send one SELECT; tables change by pushing rows, definitions by setting the program
    "#);
}

#[test]
fn an_expression_that_fails_on_a_row_fails_the_query() {
    let fails =
        |text: &str| matches!(run(text, vec![orders()], QueryOptions::default()), Err(QueryError::Failed(_)));
    assert!(fails("SELECT 1 / (id - 1) FROM orders"));
    assert!(fails("SELECT CAST(customer AS INT) FROM orders"));
}

#[test]
fn a_panic_fails_the_query_alone() {
    let options = QueryOptions { test_hooks: true, ..QueryOptions::default() };
    let error = run("SELECT hw_test_panic(id + 665) FROM orders", vec![orders()], options).unwrap_err();
    assert_snapshot!(error, @"the query failed: hw_test_panic met 666");
    assert!(run("SELECT id FROM orders", vec![orders()], options).is_ok());
}
