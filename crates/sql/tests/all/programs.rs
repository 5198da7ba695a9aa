use arrow::array::Array;
use arrow::util::display::array_value_to_string;
use headwater_sql::{Program, ViewDefinition};
use headwater_types::Column;
use insta::assert_snapshot;

use crate::fixture::{TABLES, compile_text};

fn view(select: &str) -> ViewDefinition {
    let program = compile_text(&format!("{TABLES}\nCREATE MATERIALIZED VIEW v AS {select}"));
    program.unwrap_or_else(|refused| panic!("{select}\n{refused}")).views[0].as_ref().clone()
}

fn columns(columns: &[Column]) -> String {
    columns
        .iter()
        .map(|column| format!("{} {}", column.name, column.column_type))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Columns, whether it has state, what it reads, and the plan.
fn compiled(select: &str) -> String {
    let view = view(select);
    let state = if view.stateful { "stateful" } else { "stateless" };
    format!("{}\n{state}, reads {:?}\n{}", columns(&view.columns), view.reads, view.plan.display_indent())
}

#[test]
fn an_empty_program_is_legal() {
    for text in ["", ";;", " -- nothing\n", "/* nothing */ ;"] {
        let Program { tables, views } = compile_text(text).unwrap();
        assert!(tables.is_empty() && views.is_empty());
    }
}

#[test]
fn every_column_type_has_its_names() {
    let text = "CREATE TABLE t (a BOOLEAN, b BOOL, c TINYINT, d SMALLINT, e INT, f INTEGER, g BIGINT, h REAL, i FLOAT, \
                j DOUBLE, k DOUBLE PRECISION, l DECIMAL(10, 2), m NUMERIC(5), n VARCHAR, o VARCHAR(10), p TEXT, q STRING, \
                r CHAR(3), s DATE, t TIMESTAMP, u TIMESTAMP(3), v TIMESTAMP(9), w TIMESTAMP WITHOUT TIME ZONE)";
    assert_snapshot!(columns(&compile_text(text).unwrap().tables[0].columns), @"a BOOLEAN, b BOOLEAN, c TINYINT, d SMALLINT, e INTEGER, f INTEGER, g BIGINT, h REAL, i DOUBLE, j DOUBLE, k DOUBLE, l DECIMAL(10, 2), m DECIMAL(5, 0), n VARCHAR, o VARCHAR, p VARCHAR, q VARCHAR, r VARCHAR, s DATE, t TIMESTAMP, u TIMESTAMP, v TIMESTAMP(9), w TIMESTAMP");
}

#[test]
fn unquoted_names_fold_and_quoted_ones_do_not() {
    let program = compile_text(
        r#"CREATE TABLE Orders (Id INT, "Id" INT); CREATE VIEW "V" AS SELECT ID, "Id" FROM ORDERS"#,
    );
    let program = program.unwrap();
    assert_eq!(program.tables[0].name.as_str(), "orders");
    assert_eq!(program.views[0].name.as_str(), "V");
    assert_snapshot!(columns(&program.views[0].columns), @"id INTEGER, Id INTEGER");
}

#[test]
fn a_key_makes_its_columns_not_null() {
    let text = "CREATE TABLE t (x INT, y INT NOT NULL, z INT, PRIMARY KEY (z, x))";
    let table = compile_text(text).unwrap().tables[0].clone();
    assert_eq!(table.primary_key, vec![2, 0]);
    assert_eq!(table.columns.iter().map(|column| column.nullable).collect::<Vec<_>>(), [false, false, false]);
}

#[test]
fn options_are_read() {
    let text = "CREATE TABLE a (x INT) WITH ('materialized' = 'false');
                CREATE TABLE b (x INT, \"At\" TIMESTAMP) WITH (retention = '1 day 12 hours ON \"At\"', materialized = true);";
    let tables = compile_text(text).unwrap().tables;
    assert!(!tables[0].materialized && tables[1].materialized);
    let retention = tables[1].retention.unwrap();
    assert_eq!((retention.column, retention.keep_micros), (1, 36 * 3_600_000_000));
}

#[test]
fn defaults_are_values_of_their_columns() {
    let text = "CREATE TABLE t (a INT DEFAULT 5, b DECIMAL(30, 10) DEFAULT 12345678901234567890.0123456789,
        c VARCHAR DEFAULT upper('x') || 'y', d TIMESTAMP DEFAULT '2026-01-01 10:00:00', e DATE DEFAULT DATE '2026-01-01',
        f SMALLINT DEFAULT 1 + 2 * 3, g DOUBLE DEFAULT -0.5, h BOOLEAN DEFAULT 1 > 2,
        i TIMESTAMP(9) DEFAULT '2026-01-01T00:00:00.123456789', j INT DEFAULT NULL, k INT)";
    let table = compile_text(text).unwrap().tables[0].clone();
    let values = table.columns.iter().map(|column| match &column.default {
        Some(value) if value.is_null(0) => format!("{}: NULL", column.name),
        Some(value) => format!("{}: {}", column.name, array_value_to_string(value, 0).unwrap()),
        None => format!("{}: none", column.name),
    });
    assert_snapshot!(values.collect::<Vec<_>>().join("\n"), @r#"
    a: 5
    b: 12345678901234567890.0123456789
    c: Xy
    d: 2026-01-01T10:00:00
    e: 2026-01-01
    f: 7
    g: -0.5
    h: false
    i: 2026-01-01T00:00:00.123456789
    j: NULL
    k: none
    "#);
}

#[test]
fn projections_and_filters() {
    assert_snapshot!(compiled(
        "SELECT id, coalesce(customer, 'nobody') AS who, amount * 0.5 AS half, price * 2 AS twice, n / 2 AS q, n % 2 AS r, \
         CASE WHEN n > 0 THEN 1 / n ELSE 0 END AS inverse, TRY_CAST(customer AS INT) AS number, CAST(at AS DATE) AS day, \
         date_trunc('hour', at) AS hour, at + INTERVAL '1 day' AS next \
         FROM orders WHERE 1 = 1 AND amount > 10 + 5 AND at > '2026-01-01' AND customer LIKE 'a%'"
    ), @r#"
    id BIGINT, who VARCHAR, half DOUBLE, twice DECIMAL(31, 2), q BIGINT, r BIGINT, inverse BIGINT, number INTEGER, day DATE, hour TIMESTAMP, next TIMESTAMP
    stateless, reads ["orders"]
    Projection: orders.id AS id, CASE WHEN orders.customer IS NOT NULL THEN orders.customer ELSE Utf8("nobody") END AS who, orders.amount * Float64(0.5) AS half, orders.price * Decimal128(2,20,0) AS twice, CAST(orders.n AS Int64) / Int64(2) AS q, CAST(orders.n AS Int64) % Int64(2) AS r, CASE WHEN CAST(orders.n AS Int64) > Int64(0) THEN Int64(1) / CAST(orders.n AS Int64) ELSE Int64(0) END AS inverse, TRY_CAST(orders.customer AS Int32) AS number, CAST(orders.at AS Date32) AS day, date_trunc(Utf8("hour"), orders.at) AS hour, orders.at + IntervalMonthDayNano("IntervalMonthDayNano { months: 0, days: 1, nanoseconds: 0 }") AS next
      Filter: orders.amount > Float64(15) AND orders.at > TimestampMicrosecond(1767225600000000, None) AND orders.customer LIKE Utf8("a%")
        TableScan: orders projection=[id, customer, amount, price, n, at]
    "#);
}

#[test]
fn joins_are_keyed_by_their_equalities() {
    assert_snapshot!([
        compiled("SELECT o.id, c.city FROM orders o JOIN customers c ON o.customer = c.name WHERE o.amount > 1"),
        compiled("SELECT o.id, c.city FROM orders o, customers c WHERE o.customer = c.name AND o.amount > 1"),
        compiled("SELECT a.id FROM orders a JOIN orders b ON a.id = b.n AND a.amount < b.amount"),
        compiled("SELECT o.id, c.name FROM orders o JOIN (SELECT name, name AS customer FROM customers) c USING (customer)"),
    ]
    .join("\n\n"), @r#"
    id BIGINT, city VARCHAR
    stateful, reads ["customers", "orders"]
    Projection: o.id AS id, c.city AS city
      Inner Join: o.customer = c.name
        SubqueryAlias: o
          Projection: orders.id, orders.customer
            Filter: orders.amount > Float64(1)
              TableScan: orders projection=[id, customer, amount]
        SubqueryAlias: c
          TableScan: customers projection=[name, city]

    id BIGINT, city VARCHAR
    stateful, reads ["customers", "orders"]
    Projection: o.id AS id, c.city AS city
      Inner Join: o.customer = c.name
        SubqueryAlias: o
          Projection: orders.id, orders.customer
            Filter: orders.amount > Float64(1)
              TableScan: orders projection=[id, customer, amount]
        SubqueryAlias: c
          TableScan: customers projection=[name, city]

    id BIGINT
    stateful, reads ["orders"]
    Projection: a.id AS id
      Inner Join: a.id = CAST(b.n AS Int64) Filter: a.amount < b.amount
        SubqueryAlias: a
          TableScan: orders projection=[id, amount]
        SubqueryAlias: b
          TableScan: orders projection=[amount, n]

    id BIGINT, name VARCHAR
    stateful, reads ["customers", "orders"]
    Projection: o.id AS id, c.name AS name
      Inner Join: o.customer = c.customer
        SubqueryAlias: o
          TableScan: orders projection=[id, customer]
        SubqueryAlias: c
          Projection: customers.name, customers.name AS customer
            TableScan: customers projection=[name]
    "#);
}

#[test]
fn aggregates_with_and_without_keys() {
    assert_snapshot!([
        compiled(
            "SELECT customer, COUNT(*) AS n, COUNT(price) AS p, SUM(n) AS ints, SUM(price) AS decimals, SUM(amount) AS \
             doubles, AVG(n) AS mean, AVG(price) AS mean_price, MIN(at) AS first, MAX(customer) AS last FROM orders \
             GROUP BY customer HAVING COUNT(*) > 1"
        ),
        compiled("SELECT COUNT(*) AS n FROM orders"),
        compiled("SELECT customer || '!' AS who, n + 1 AS m, COUNT(*) AS c FROM orders GROUP BY 1, 2"),
    ]
    .join("\n\n"), @r#"
    customer VARCHAR, n BIGINT, p BIGINT, ints BIGINT, decimals DECIMAL(20, 2), doubles DOUBLE, mean DOUBLE, mean_price DECIMAL(14, 6), first TIMESTAMP, last VARCHAR
    stateful, reads ["orders"]
    Projection: orders.customer AS customer, count(Int64(1)) AS n, count(orders.price) AS p, sum(orders.n) AS ints, sum(orders.price) AS decimals, sum(orders.amount) AS doubles, avg(orders.n) AS mean, avg(orders.price) AS mean_price, min(orders.at) AS first, max(orders.customer) AS last
      Filter: count(Int64(1)) > Int64(1)
        Aggregate: groupBy=[[orders.customer]], aggr=[[count(Int64(1)), count(orders.price), sum(CAST(orders.n AS Int64)), sum(orders.price), sum(orders.amount), avg(CAST(orders.n AS Float64)), avg(orders.price), min(orders.at), max(orders.customer)]]
          TableScan: orders projection=[customer, amount, price, n, at]

    n BIGINT
    stateful, reads ["orders"]
    Projection: count(Int64(1)) AS n
      Aggregate: groupBy=[[]], aggr=[[count(Int64(1))]]
        TableScan: orders projection=[]

    who VARCHAR, m BIGINT, c BIGINT
    stateful, reads ["orders"]
    Projection: orders.customer || Utf8("!") AS who, orders.n + Int64(1) AS m, count(Int64(1)) AS c
      Aggregate: groupBy=[[orders.customer || Utf8("!"), CAST(orders.n AS Int64) + Int64(1)]], aggr=[[count(Int64(1))]]
        TableScan: orders projection=[customer, n]
    "#);
}

#[test]
fn a_condition_without_columns_stays_above_an_aggregate_without_keys() {
    assert_snapshot!([
        compiled("SELECT COUNT(*) AS n FROM orders HAVING 1 = 2"),
        compiled("SELECT n FROM (SELECT 3 AS x, COUNT(*) AS n FROM orders) t WHERE x > 5"),
    ]
    .join("\n\n"), @r#"
    n BIGINT
    stateful, reads ["orders"]
    Projection: count(Int64(1)) AS n
      Filter: Boolean(false)
        Aggregate: groupBy=[[]], aggr=[[count(Int64(1))]]
          TableScan: orders projection=[]

    n BIGINT
    stateful, reads ["orders"]
    Projection: t.n AS n
      SubqueryAlias: t
        Projection: count(Int64(1)) AS count(*) AS n
          Filter: Boolean(false)
            Aggregate: groupBy=[[]], aggr=[[count(Int64(1))]]
              TableScan: orders projection=[]
    "#);
}

#[test]
fn unions_subqueries_and_ctes() {
    assert_snapshot!([
        compiled("SELECT id, 'order' AS kind FROM orders UNION ALL SELECT x, 'raw' FROM raw"),
        compiled("WITH big AS (SELECT id, amount FROM orders WHERE amount > 5) SELECT id FROM (SELECT * FROM big) t WHERE id > 1"),
        compiled("SELECT id FROM (SELECT id, 'a' AS src FROM orders UNION ALL SELECT x, 'b' FROM raw) t WHERE src = 'a'"),
    ]
    .join("\n\n"), @r#"
    id BIGINT, kind VARCHAR
    stateless, reads ["orders", "raw"]
    Projection: id AS id, kind AS kind
      Union
        Projection: orders.id, Utf8("order") AS kind
          TableScan: orders projection=[id]
        Projection: CAST(raw.x AS Int64) AS id, Utf8("raw") AS kind
          TableScan: raw projection=[x]

    id BIGINT
    stateless, reads ["orders"]
    Projection: t.id AS id
      SubqueryAlias: t
        SubqueryAlias: big
          Projection: orders.id
            Filter: orders.amount > Float64(5) AND orders.id > Int64(1)
              TableScan: orders projection=[id, amount]

    id BIGINT
    stateless, reads ["orders", "raw"]
    Projection: t.id AS id
      SubqueryAlias: t
        Union
          TableScan: orders projection=[id]
          Projection: CAST(raw.x AS Int64) AS id
            Filter: Boolean(false)
              TableScan: raw projection=[x]
    "#);
}

#[test]
fn plain_views_are_expanded_and_kept_ones_are_read() {
    let program = compile_text(&format!(
        "{TABLES}
         CREATE VIEW doubled AS SELECT id, customer, amount * 2 AS twice FROM orders;
         CREATE MATERIALIZED VIEW totals AS SELECT customer, SUM(twice) AS total FROM doubled GROUP BY customer;
         CREATE MATERIALIZED VIEW rich AS SELECT t.customer, d.id FROM totals t JOIN doubled d ON t.customer = d.customer
             WHERE t.total > 100;"
    ))
    .unwrap();
    let summary = program.views.iter().map(|view| {
        format!(
            "{} materialized={} reads {:?}\n{}",
            view.name,
            view.materialized,
            view.reads,
            view.plan.display_indent()
        )
    });
    assert_snapshot!(summary.collect::<Vec<_>>().join("\n\n"), @r#"
    doubled materialized=false reads ["orders"]
    Projection: orders.id AS id, orders.customer AS customer, orders.amount * Float64(2) AS twice
      TableScan: orders projection=[id, customer, amount]

    totals materialized=true reads ["orders"]
    Projection: doubled.customer AS customer, sum(doubled.twice) AS total
      Aggregate: groupBy=[[doubled.customer]], aggr=[[sum(doubled.twice)]]
        SubqueryAlias: doubled
          Projection: orders.customer AS customer, orders.amount * Float64(2) AS twice
            TableScan: orders projection=[customer, amount]

    rich materialized=true reads ["orders", "totals"]
    Projection: t.customer AS customer, d.id AS id
      Inner Join: t.customer = d.customer
        SubqueryAlias: t
          Projection: totals.customer
            Filter: totals.total > Float64(100)
              TableScan: totals projection=[customer, total]
        SubqueryAlias: d
          SubqueryAlias: doubled
            Projection: orders.id AS id, orders.customer AS customer
              TableScan: orders projection=[id, customer]
    "#);
}

#[test]
fn the_text_of_a_view_is_kept_as_written() {
    let text =
        "CREATE TABLE t (x INT);\nCREATE VIEW v (y) AS\n  SELECT x + 1 -- größer\n  FROM t /* all */\n;";
    assert_eq!(compile_text(text).unwrap().views[0].sql, "SELECT x + 1 -- größer\n  FROM t");
}

#[test]
fn a_table_without_rows_feeds_stateless_views() {
    let view = view("SELECT s, x + 1 AS y FROM raw WHERE x > 0");
    assert!(!view.stateful);
}

#[test]
fn equal_texts_give_equal_programs() {
    let text = format!(
        "{TABLES}
         CREATE MATERIALIZED VIEW a AS SELECT customer, SUM(amount) AS s FROM orders WHERE at > '2026-01-01' GROUP BY customer;
         CREATE VIEW b AS SELECT a.s, c.city FROM a JOIN customers c ON a.customer = c.name AND a.s > 1;"
    );
    let plans = || format!("{:?}", compile_text(&text).unwrap());
    let first = plans();
    assert!((0..20).all(|_| plans() == first));
}

#[test]
fn functions_for_tests_are_known_only_when_asked_for() {
    let text = "CREATE TABLE t (x BIGINT); CREATE VIEW v AS SELECT hw_test_panic(x) AS y FROM t";
    assert!(headwater_sql::compile(text, &headwater_sql::CompileOptions { test_hooks: true }).is_ok());
    assert!(headwater_sql::compile(text, &headwater_sql::CompileOptions { test_hooks: false }).is_err());
}

#[test]
fn what_is_kept_for_followers_is_an_option_of_tables_and_materialized_views() {
    use headwater_types::ChangesKept;
    let program = compile_text(
        "CREATE TABLE usual (a INT);
         CREATE TABLE off (a INT) WITH ('changes' = 'off');
         CREATE TABLE long (a INT) WITH ('changes' = '7 days');
         CREATE MATERIALIZED VIEW v WITH ('changes' = '1 hour, 512 MiB') AS SELECT a FROM usual;",
    )
    .unwrap();
    let hour = 3_600_000_000;
    let kept: Vec<ChangesKept> = program.tables.iter().map(|table| table.changes).collect();
    assert_eq!(
        kept,
        [ChangesKept::Usual, ChangesKept::Off, ChangesKept::AtMost { micros: 7 * 24 * hour, bytes: None }]
    );
    assert_eq!(program.views[0].changes, ChangesKept::AtMost { micros: hour, bytes: Some(512 << 20) });
}
