use insta::assert_snapshot;

use crate::fixture::{compile_text, refusal, refusals};

#[test]
fn a_place_is_counted_in_lines_and_characters() {
    let text = "CREATE TABLE t (\n  \"größe\" INT,\n  größer\tDOUBLE, x INTT);";
    let diagnostic = compile_text(text).unwrap_err();
    assert_eq!((diagnostic.line, diagnostic.column), (3, 20));
    assert_snapshot!(diagnostic, @r#"
    the type INTT is not supported at line 3, column 20
      größer DOUBLE, x INTT);
                       ^
    hint: did you mean INT?
    "#);
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let columns = (0..200).map(|index| format!("column_{index} INT, ")).collect::<String>();
    assert_snapshot!(refusal(&format!("CREATE TABLE t ({columns} x INTT, {columns} y INT)")), @r#"
    unsupported: the type INTT is not supported at line 1, column 3110
    umn_195 INT, column_196 INT, column_197 INT, column_198 INT, column_199 INT,  x INTT, column_0 INT, column_1 INT, column_2 INT, column_3 INT, column_4 INT, colu
                                                                                    ^
    hint: did you mean INT?
    "#);
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
    ]), @r#"
    syntax: expected: SELECT, VALUES, or a subquery in the query body, found: SELEC at line 2, column 18
    CREATE VIEW v AS SELEC id FROM orders
                     ^

    syntax: expected: identifier, found: the end of the statement at line 2, column 32
    CREATE VIEW v AS SELECT id FROM
                                   ^

    syntax: unexpected id3 at line 2, column 32
    CREATE VIEW v AS SELECT id id2 id3 FROM orders
                                   ^
    hint: end each statement with ';'

    syntax: unterminated string literal at line 2, column 25
    CREATE VIEW v AS SELECT 'open FROM orders
                            ^

    syntax: expected: ',' or ')' after column definition, found: y at line 2, column 23
    CREATE TABLE t (x INT y INT)
                          ^

    syntax: expected: an object type after CREATE, found: the end of the statement at line 2, column 7
    CREATE
          ^

    syntax: expected: ), found: FROM at line 2, column 29
    CREATE VIEW v AS SELECT (id FROM orders
                                ^
    "#);
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
    ]), @r#"
    unknown_column: unknown column "custmer" at line 2, column 25
    CREATE VIEW v AS SELECT custmer FROM orders
                            ^
    hint: did you mean "customer"?

    unknown_column: unknown column "o.custmer" at line 2, column 27
    CREATE VIEW v AS SELECT o.custmer FROM orders o
                              ^
    hint: did you mean "customer"?

    unknown_column: unknown column "ID" at line 2, column 46
    CREATE VIEW v AS SELECT id FROM orders WHERE "ID" = 1
                                                 ^
    hint: did you mean "id"?

    unknown_column: unknown column "zzz" at line 2, column 25
    CREATE VIEW v AS SELECT zzz FROM customers
                            ^
    hint: columns here: city, name

    unknown_relation: unknown relation "ordrs" at line 2, column 32
    CREATE VIEW v AS SELECT * FROM ordrs
                                   ^
    hint: did you mean "orders"?

    unknown_relation: unknown relation "later" at line 2, column 32
    CREATE VIEW v AS SELECT * FROM later; CREATE VIEW later AS SELECT id FROM orders
                                   ^
    hint: tables and views here: customers, orders, raw

    unknown_relation: unknown relation "v" at line 2, column 32
    CREATE VIEW v AS SELECT * FROM v
                                   ^
    hint: tables and views here: customers, orders, raw

    unknown_column: unknown column "x.id" at line 2, column 27
    CREATE VIEW v AS SELECT x.id FROM orders o
                              ^
    hint: did you mean "id"?

    unknown_function: unknown function "uper" at line 2, column 25
    CREATE VIEW v AS SELECT uper(customer) AS u FROM orders
                            ^
    hint: did you mean "upper"?

    unknown_function: unknown function "no_such_function" at line 2, column 25
    CREATE VIEW v AS SELECT no_such_function(customer) AS u FROM orders
                            ^

    ambiguous_column: the column "id" is in more than one relation at line 2, column 25
    CREATE VIEW v AS SELECT id FROM orders a JOIN orders b ON a.id = b.id
                            ^
    hint: write its relation before it: t.column
    "#);
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
    ]), @r#"
    type_mismatch: cannot coerce arithmetic expression VARCHAR + BIGINT to valid types at line 2, column 29
    CREATE VIEW v AS SELECT id, customer + 1 AS x FROM orders
                                ^

    type_mismatch: cannot create filter with non-boolean predicate 'orders.customer' returning VARCHAR at line 2, column 46
    CREATE VIEW v AS SELECT id FROM orders WHERE customer
                                                 ^

    type_mismatch: cannot infer common argument type for comparison operation TIMESTAMP > BIGINT at line 2, column 46
    CREATE VIEW v AS SELECT id FROM orders WHERE at > 5
                                                 ^

    type_mismatch: round() does not take these arguments: VARCHAR at line 2, column 25
    CREATE VIEW v AS SELECT round(customer) AS r FROM orders
                            ^
    hint: convert the argument with CAST

    type_mismatch: sum() does not take these arguments: VARCHAR at line 2, column 25
    CREATE VIEW v AS SELECT sum(customer) AS s FROM orders
                            ^
    hint: convert the argument with CAST

    type_mismatch: cannot cast BIGINT to TIME at line 2, column 25
    CREATE VIEW v AS SELECT CAST(id AS TIME) AS x FROM orders
                            ^

    type_mismatch: the column x is a Duration(µs), which a view cannot keep at line 2, column 36
    CREATE VIEW v AS SELECT at - at AS x FROM orders
                                       ^
    hint: convert it: CAST(… AS VARCHAR), or another type of a column

    invalid_query: the column "orders.amount" is neither in GROUP BY nor in an aggregate at line 2, column 35
    CREATE VIEW v AS SELECT customer, amount FROM orders GROUP BY customer
                                      ^
    hint: add it to GROUP BY, or take its MIN or MAX

    invalid_query: UNION queries have different number of columns at line 2, column 18
    CREATE VIEW v AS SELECT id, n FROM orders UNION ALL SELECT x FROM raw
                     ^
    "#);
}

#[test]
fn constants_that_fail_are_refused() {
    assert_snapshot!(refusals(&[
        "CREATE VIEW v AS SELECT id, 1 / 0 AS x FROM orders",
        "CREATE VIEW v AS SELECT id FROM orders WHERE n > 9223372036854775807 + 1",
        "CREATE VIEW v AS SELECT coalesce(n, CAST('x' AS INT)) AS x FROM orders",
    ]), @r#"
    constant_fails: the constant expression 1 / 0 fails: divide by zero error at line 2, column 29
    CREATE VIEW v AS SELECT id, 1 / 0 AS x FROM orders
                                ^
    hint: correct it: it would fail on every row

    constant_fails: the constant expression 9223372036854775807 + 1 fails: overflow happened on: 9223372036854775807 + 1 at line 2, column 50
    CREATE VIEW v AS SELECT id FROM orders WHERE n > 9223372036854775807 + 1
                                                     ^
    hint: correct it: it would fail on every row

    constant_fails: the constant expression CAST('x' AS INTEGER) fails: cannot cast string 'x' to value of INTEGER type at line 2, column 42
    CREATE VIEW v AS SELECT coalesce(n, CAST('x' AS INT)) AS x FROM orders
                                             ^
    hint: correct it: it would fail on every row
    "#);
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
    ]), @r#"
    duplicate_name: the name "orders" is taken at line 2, column 14
    CREATE TABLE Orders (x INT)
                 ^
    hint: tables and views share one space of names

    duplicate_name: the name "customers" is taken at line 2, column 13
    CREATE VIEW customers AS SELECT id FROM orders
                ^
    hint: tables and views share one space of names

    reserved_name: the name "quarantine" is used by the system at line 2, column 14
    CREATE TABLE quarantine (x INT)
                 ^
    hint: choose another name

    reserved_name: the name "error_view" is used by the system at line 2, column 13
    CREATE VIEW error_view AS SELECT id FROM orders
                ^
    hint: choose another name

    reserved_name: names that start with '_' are reserved for the system at line 2, column 14
    CREATE TABLE _t (x INT)
                 ^
    hint: choose another name

    invalid_name: a name must have at least one character at line 2, column 14
    CREATE TABLE "" (x INT)
                 ^
    hint: choose another name

    unsupported: a relation's name has one part at line 2, column 14
    CREATE TABLE a.b (x INT)
                 ^
    hint: leave out schema and catalog

    duplicate_name: there are two columns "x" at line 2, column 24
    CREATE TABLE t (x INT, X INT)
                           ^
    hint: rename one of them

    reserved_name: names that start with '_' are reserved for the system at line 2, column 17
    CREATE TABLE t (_x INT)
                    ^
    hint: choose another name

    duplicate_name: there are two columns "id" at line 2, column 29
    CREATE VIEW v AS SELECT id, id FROM orders
                                ^
    hint: name one of them with AS

    duplicate_name: there are two columns "id" at line 2, column 33
    CREATE VIEW v AS SELECT a.id, b.id FROM orders a JOIN orders b ON a.id = b.id
                                    ^
    hint: name one of them with AS

    duplicate_name: there are two columns "a" at line 2, column 19
    CREATE VIEW v (a, A) AS SELECT id, n FROM orders
                      ^
    hint: name one of them with AS

    invalid_query: the view names 1 columns, its SELECT gives 2 at line 2, column 16
    CREATE VIEW v (a) AS SELECT id, n FROM orders
                   ^
    hint: name each column, or none
    "#);
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
    ]), @r#"
    unsupported: ORDER BY in a view has no meaning at line 2, column 49
    CREATE VIEW v AS SELECT id FROM orders ORDER BY id
                                                    ^
    hint: order when you query it

    unsupported: LIMIT is not supported in a view at line 2, column 46
    CREATE VIEW v AS SELECT id FROM orders LIMIT 5
                                                 ^
    hint: limit when you query it

    unsupported: FETCH is not supported in a view at line 2, column 18
    CREATE VIEW v AS SELECT id FROM orders FETCH FIRST 5 ROWS ONLY
                     ^
    hint: limit when you query it

    unsupported: DISTINCT is not supported in a view at line 2, column 18
    CREATE VIEW v AS SELECT DISTINCT id FROM orders
                     ^
    hint: GROUP BY the columns and select them

    not_deterministic: now() is not allowed here: it gives a different value each time at line 2, column 29
    CREATE VIEW v AS SELECT id, now() AS t FROM orders
                                ^
    hint: call it in a query, or push its value in a column

    not_deterministic: current_timestamp() is not allowed here: it gives a different value each time at line 2, column 29
    CREATE VIEW v AS SELECT id, CURRENT_TIMESTAMP AS t FROM orders
                                ^
    hint: call it in a query, or push its value in a column

    not_deterministic: random() is not allowed here: it gives a different value each time at line 2, column 29
    CREATE VIEW v AS SELECT id, random() AS r FROM orders
                                ^
    hint: call it in a query, or push its value in a column

    unsupported: window functions are not supported in a view at line 2, column 29
    CREATE VIEW v AS SELECT id, row_number() OVER (ORDER BY id) AS r FROM orders
                                ^
    hint: use it in a query instead

    unsupported: window functions are not supported in a view at line 2, column 18
    CREATE VIEW v AS SELECT id FROM orders QUALIFY row_number() OVER (ORDER BY id) = 1
                     ^
    hint: use it in a query instead

    unsupported: IN (SELECT …) is not supported in a view at line 2, column 46
    CREATE VIEW v AS SELECT id FROM orders WHERE id IN (SELECT x FROM raw)
                                                 ^
    hint: join with the grouped keys

    unsupported: EXISTS is not supported in a view at line 2, column 54
    CREATE VIEW v AS SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM raw)
                                                         ^
    hint: join with the grouped keys

    unsupported: a SELECT as a value is not supported in a view at line 2, column 52
    CREATE VIEW v AS SELECT id FROM orders WHERE id = (SELECT max(x) FROM raw)
                                                       ^
    hint: join with it instead

    unsupported: outer joins are not supported in a view at line 2, column 54
    CREATE VIEW v AS SELECT o.id FROM orders o LEFT JOIN customers c ON o.customer = c.name
                                                         ^
    hint: use an inner JOIN; the rows without partner can be a second branch in a query

    unsupported: CROSS JOIN is not supported in a view: every row would meet every other at line 2, column 55
    CREATE VIEW v AS SELECT o.id FROM orders o CROSS JOIN customers c
                                                          ^
    hint: join with ON a.x = b.y

    unsupported: a join in a view needs an equality between its two sides at line 2, column 30
    CREATE VIEW v AS SELECT o.id FROM orders o, customers c
                                 ^
    hint: join with ON a.x = b.y; without an equality every row would meet every other

    unsupported: a join in a view needs an equality between its two sides at line 2, column 44
    CREATE VIEW v AS SELECT o.id FROM orders o JOIN customers c ON o.customer < c.name
                                               ^
    hint: join with ON a.x = b.y; without an equality every row would meet every other

    unsupported: only inner joins are supported in a view at line 2, column 44
    CREATE VIEW v AS SELECT o.id FROM orders o JOIN customers c ON o.customer IS NOT DISTINCT FROM c.name
                                               ^
    hint: use it in a query instead

    unsupported: NATURAL JOIN changes meaning when a column is added at line 2, column 53
    CREATE VIEW v AS SELECT id FROM orders NATURAL JOIN customers
                                                        ^
    hint: use USING (column)

    unsupported: COUNT(DISTINCT …) is not supported in a view at line 2, column 25
    CREATE VIEW v AS SELECT count(DISTINCT id) AS n FROM orders
                            ^
    hint: GROUP BY in a view, aggregate in the next

    unsupported: FILTER is not supported in a view at line 2, column 25
    CREATE VIEW v AS SELECT count(*) FILTER (WHERE id > 1) AS n FROM orders
                            ^
    hint: put the condition into the argument: SUM(CASE WHEN condition THEN x END)

    unsupported: STDDEV is not supported in a view at line 2, column 25
    CREATE VIEW v AS SELECT stddev(amount) AS s FROM orders
                            ^
    hint: use COUNT, SUM, AVG, MIN or MAX

    unsupported: grouping sets are not supported in a view at line 2, column 78
    CREATE VIEW v AS SELECT customer, count(*) AS n FROM orders GROUP BY ROLLUP (customer)
                                                                                 ^
    hint: GROUP BY columns; unite several views

    unsupported: UNION removes duplicates, which is not supported in a view at line 2, column 46
    CREATE VIEW v AS SELECT id FROM orders UNION SELECT x FROM raw
                                                 ^
    hint: use UNION ALL

    unsupported: EXCEPT is not supported in a view at line 2, column 47
    CREATE VIEW v AS SELECT id FROM orders EXCEPT SELECT x FROM raw
                                                  ^
    hint: use it in a query instead

    unsupported: nested values are not supported in a view at line 2, column 26
    CREATE VIEW v AS SELECT [id] AS a FROM orders
                             ^
    hint: use one column per value

    unsupported: a view without a table never changes at line 2, column 18
    CREATE VIEW v AS SELECT 1 AS x
                     ^
    hint: read from a table or view

    unsupported: a view is a SELECT at line 2, column 25
    CREATE VIEW v AS VALUES (1)
                            ^
    hint: read from a table or view

    unsupported: WITH RECURSIVE is not supported in a view at line 2, column 18
    CREATE VIEW v AS WITH RECURSIVE t AS (SELECT id FROM orders) SELECT * FROM t
                     ^
    hint: use it in a query instead

    unsupported: table functions are not supported in a view at line 2, column 32
    CREATE VIEW v AS SELECT * FROM generate_series(1, 5)
                                   ^
    hint: read from a table or view

    unsupported: a view takes no parameters at line 2, column 51
    CREATE VIEW v AS SELECT id FROM orders WHERE id = $1
                                                      ^
    hint: write the value

    unsupported: a program states what there is, so OR REPLACE and IF NOT EXISTS mean nothing at line 2, column 11
    CREATE OR REPLACE VIEW v AS SELECT id FROM orders
              ^
    hint: write CREATE VIEW; setting the program again changes only what differs

    unsupported: CREATE VIEW takes a name, column names, WITH ('changes' = …) and a SELECT at line 2, column 1
    CREATE TEMPORARY VIEW v AS SELECT id FROM orders
    ^
    hint: leave out the rest

    unsupported: the table "raw" keeps no rows, so a view that joins or aggregates cannot read it at line 2, column 44
    CREATE VIEW v AS SELECT count(*) AS n FROM raw
                                               ^
    hint: take 'materialized' = 'false' off the table

    unsupported: the table "raw" keeps no rows, so a view that joins or aggregates cannot read it at line 2, column 37
    CREATE VIEW p AS SELECT x FROM raw; CREATE VIEW v AS SELECT x, count(*) AS n FROM p GROUP BY x
                                        ^
    hint: take 'materialized' = 'false' off the table
    "#);
}
