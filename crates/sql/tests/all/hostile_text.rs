use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use headwater_sql::{QueryError, QueryOptions};
use headwater_types::limits::{RELATIONS_MAX, SQL_BYTES_MAX};
use proptest::prelude::*;

use crate::fixture::{TABLES, compile_text, numbers, orders, run};

/// The code of the refusal, or `ok`, of a view, and the same as a query.
fn outcome(select: &str) -> (&'static str, &'static str) {
    outcome_within(select, 30)
}

fn outcome_within(select: &str, timeout_seconds: u64) -> (&'static str, &'static str) {
    let program = compile_text(&format!("{TABLES}\nCREATE MATERIALIZED VIEW v AS {select}"));
    let as_view = program.err().map_or("ok", |refused| refused.code);
    let options = QueryOptions { timeout: Duration::from_secs(timeout_seconds), ..QueryOptions::default() };
    let as_query = match run(select, vec![orders()], options) {
        Ok(_) => "ok",
        Err(QueryError::Refused(refused)) => refused.code,
        Err(_) => "failed",
    };
    (as_view, as_query)
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn parentheses_without_end_are_refused() {
    let deep = |inner: &str| nested("(", inner, ")", 10_000);
    assert_eq!(outcome(&format!("SELECT {} AS x FROM orders", deep("id"))), ("too_deep", "too_deep"));
    assert_eq!(outcome(&format!("SELECT id FROM {}", deep("orders"))), ("too_deep", "too_deep"));
    assert_eq!(outcome(&deep("SELECT id FROM orders")), ("too_deep", "too_deep"));
    assert_eq!(outcome(&"(".repeat(10_000)), ("too_deep", "too_deep"));
}

#[test]
fn nesting_without_parentheses_is_refused() {
    for text in [
        format!("SELECT {} id AS x FROM orders", "NOT ".repeat(10_000)),
        format!("SELECT {} id AS x FROM orders", "- ".repeat(10_000)),
        format!("SELECT {} AS x FROM orders", nested("CASE WHEN true THEN ", "id", " END", 5_000)),
    ] {
        // The parser gives up at its depth, and at some places takes that for an error of syntax.
        let (as_view, as_query) = outcome(&text);
        assert!(
            ["too_deep", "syntax"].contains(&as_view) && as_view == as_query,
            "{as_view}: {}",
            &text[..60]
        );
    }
    for text in [
        format!("SELECT id {} AS x FROM orders", "+ id ".repeat(20_000)),
        format!("SELECT id FROM orders WHERE (id {}) > 0", "+ id ".repeat(20_000)),
    ] {
        assert_eq!(outcome(&text), ("too_deep", "too_deep"), "{}", &text[..60]);
    }
    for term in ["AND id > 1 ", "OR id = 1 ", "AND id > 1 OR id = 2 "] {
        let text = format!("SELECT id FROM orders WHERE id = 0 {}", term.repeat(6_000));
        assert_eq!(outcome(&text), ("too_complex", "too_complex"), "{}", &text[..60]);
    }
}

#[test]
fn what_is_just_large_is_accepted() {
    let list = (0..10_000).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    for text in [
        format!("SELECT {} AS x FROM orders", nested("(", "id", ")", 60)),
        format!("SELECT id FROM orders WHERE id = 0 {}", "AND id > 1 ".repeat(1_000)),
        format!("SELECT id FROM orders WHERE id = 0 {}", "OR id = 1 ".repeat(1_000)),
        format!("SELECT id, id = 0 {} AS x FROM orders", "AND id > 1 OR id = 2 ".repeat(500)),
        format!("SELECT SUM(CASE WHEN id = 0 {} THEN 1 END) AS x FROM orders", "OR id = 1 ".repeat(1_000)),
        format!("SELECT id FROM orders WHERE id IN ({list})"),
        format!("SELECT id FROM orders {}", "UNION ALL SELECT id FROM orders ".repeat(90)),
        nested("SELECT id FROM (", "SELECT id FROM orders", ") AS t", 20),
    ] {
        assert_eq!(outcome(&text), ("ok", "ok"), "{}", &text[..60]);
    }
}

#[test]
fn long_chains_mean_what_their_terms_mean() {
    let chain = |term: &str, operator: &str| {
        let terms: Vec<String> = (0..1_000).map(|number| format!("{term} {}", 3 * number)).collect();
        terms.join(operator)
    };
    for (condition, count) in [
        (chain("x =", " OR "), 1_000),
        (chain("x <>", " AND "), 3_000),
        (
            format!("({}) AND x < 30 OR x > 3998 OR NOT ({})", chain("x =", " OR "), chain("x <>", " AND ")),
            1_001,
        ),
    ] {
        let text = format!("SELECT count(*) AS n FROM t WHERE {condition}");
        let result = run(&text, vec![numbers("t", 4_000)], QueryOptions::default()).unwrap();
        let found = result.batches[0].column(0).as_primitive::<Int64Type>().value(0);
        assert_eq!(found, count, "{}", &condition[..60]);
    }
}

/// Texts that nest this deep, around these words.
fn nested_in_every_way(depth: usize, inner: &str) -> Vec<String> {
    let expressions = [
        ("(", ")"),
        ("upper(", ")"),
        ("coalesce(", ", 'x')"),
        ("nullif(", ", 'x')"),
        ("CAST(", " AS INT)"),
        ("TRY_CAST(", " AS INT)"),
        ("EXTRACT(DAY FROM ", ")"),
        ("FLOOR(", ")"),
        ("CEIL(", " TO DAY)"),
        ("POSITION('x' IN ", ")"),
        ("SUBSTRING(", " FROM 1)"),
        ("TRIM(BOTH 'x' FROM ", ")"),
        ("OVERLAY(", " PLACING 'x' FROM 1)"),
        ("CASE WHEN ", " THEN true END"),
        ("CASE ", " WHEN 1 THEN 2 END"),
        ("(id, ", ")"),
        ("[", "]"),
        ("{'a': ", "}"),
        ("MAP {'a': ", "}"),
        ("ARRAY[", "]"),
        ("STRUCT(", ")"),
        ("INTERVAL (", ")"),
        ("x -> (", ")"),
        ("id[", "]"),
        ("(SELECT ", " FROM orders)"),
        ("EXISTS (SELECT ", ")"),
        ("id IN (SELECT ", ")"),
        ("id IN (", ")"),
        ("NOT (", ")"),
        ("NOT (id > 1 OR ", ")"),
        ("id BETWEEN (", ") AND 5"),
        ("sum(id) OVER (PARTITION BY ", ")"),
        ("- (", ")"),
    ];
    let relations = [
        ("(", ")"),
        ("(SELECT id FROM ", ") t"),
        ("(orders JOIN ", " USING (id))"),
        ("LATERAL (SELECT id FROM ", ") t"),
    ];
    let select =
        |(open, close): &(&str, &str)| format!("SELECT {} FROM orders", nested(open, inner, close, depth));
    let filter = |(open, close): &(&str, &str)| {
        format!("SELECT id FROM orders WHERE {}", nested(open, inner, close, depth))
    };
    let from = |(open, close): &(&str, &str)| format!("SELECT id FROM {}", nested(open, inner, close, depth));
    let mut texts: Vec<String> = expressions.iter().map(select).collect();
    texts.extend(expressions.iter().map(filter));
    texts.extend(relations.iter().map(from));
    texts.push(nested("(", &format!("SELECT id FROM {inner}"), ")", depth));
    texts.push(nested("WITH t AS (", &format!("SELECT id FROM {inner}"), ") SELECT * FROM t", depth));
    texts
}

#[test]
fn every_way_of_nesting_is_answered_soon() {
    let mut slow = Vec::new();
    for depth in [6, 12, 24, 40, 60] {
        for inner in ["id", "orders", "1 = 1", "'x'", "]", "id id id", ""] {
            for text in nested_in_every_way(depth, inner) {
                let started = Instant::now();
                let _ = outcome_within(&text, 3);
                if started.elapsed().as_secs() >= 2 {
                    slow.push(format!("{:?}: {text}", started.elapsed()));
                }
                assert!(slow.len() < 3, "{slow:#?}");
            }
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn sizes_have_bounds() {
    let many = |what: &str, count: usize| what.repeat(count);
    assert_eq!(compile_text(&many(" ", SQL_BYTES_MAX + 1)).unwrap_err().code, "too_large");
    assert_eq!(
        outcome(&format!("SELECT id FROM orders {}", many("UNION ALL SELECT id FROM orders ", 200))).0,
        "too_large"
    );
    assert_eq!(
        outcome(&format!("SELECT o.id FROM orders o {}", many("JOIN orders USING (id) ", 40))).0,
        "too_large"
    );
    assert_eq!(
        outcome(&format!("SELECT id FROM orders WHERE id IN (1{})", many(", 1", 60_000))),
        ("too_large", "too_large")
    );
    let columns = (0..1_025).map(|index| format!("c{index} INT")).collect::<Vec<_>>().join(", ");
    assert_eq!(compile_text(&format!("CREATE TABLE t ({columns})")).unwrap_err().code, "too_large");
    let tables =
        (0..=RELATIONS_MAX).map(|index| format!("CREATE TABLE t{index} (x INT);")).collect::<String>();
    assert_eq!(compile_text(&tables).unwrap_err().code, "too_large");
    assert_eq!(
        compile_text(&format!("CREATE TABLE {} (x INT)", many("x", 256))).unwrap_err().code,
        "invalid_name"
    );
}

/// `n` plain views, each on the one before.
fn chain(first: &str, next: impl Fn(usize) -> String, count: usize) -> String {
    let views = (1..=count).map(|index| format!("CREATE VIEW v{index} AS {};\n", next(index - 1)));
    format!("{TABLES}\nCREATE VIEW v0 AS {first};\n{}", views.collect::<String>())
}

#[test]
fn views_that_expand_without_end_are_refused() {
    let code = |text: String| compile_text(&text).unwrap_err().code;
    let joins = |last| format!("SELECT a.id FROM v{last} a JOIN v{last} b ON a.id = b.id");
    assert_eq!(code(chain("SELECT id FROM orders", joins, 30)), "too_complex");
    let sums = |last| format!("SELECT x + x AS x FROM v{last} WHERE x > 1");
    assert_eq!(code(chain("SELECT id AS x FROM orders", sums, 30)), "too_complex");
    let layers = |last| format!("SELECT id, count(*) AS n FROM v{last} GROUP BY id");
    assert_eq!(code(chain("SELECT id FROM orders", layers, 200)), "too_complex");
    let unions = |last| format!("SELECT id FROM v{last} UNION ALL SELECT id FROM v{last}");
    assert_eq!(code(chain("SELECT id FROM orders", unions, 30)), "too_complex");
}

#[test]
fn inner_selects_that_expand_without_end_are_refused() {
    let ctes =
        (1..40).map(|index| format!(", c{index} AS (SELECT x + x AS x FROM c{} WHERE x > 1)", index - 1));
    let text =
        format!("WITH c0 AS (SELECT id AS x FROM orders){} SELECT x FROM c39", ctes.collect::<String>());
    assert_eq!(outcome(&text), ("too_complex", "too_complex"));
    let subquery = format!("SELECT id FROM orders WHERE id IN ({text})");
    assert_eq!(outcome(&subquery).1, "too_complex");
}

#[test]
fn short_forms_that_expand_without_end_are_refused() {
    let text = format!("SELECT {} AS x FROM orders", nested("coalesce(", "customer", ", 'x')", 60));
    assert_eq!(outcome(&text), ("too_complex", "too_complex"));
    let text = format!("SELECT {} AS x FROM orders", nested("coalesce(", "customer", ", 'x')", 8));
    assert_eq!(outcome(&text), ("ok", "ok"));
}

/// Words that make texts which get further than random characters would.
const WORDS: [&str; 60] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "ORDER BY",
    "LIMIT",
    "UNION ALL",
    "JOIN",
    "ON",
    "USING",
    "AS",
    "CREATE TABLE",
    "CREATE VIEW",
    "CREATE MATERIALIZED VIEW",
    "WITH",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "NULL",
    "NOT",
    "IN",
    "BETWEEN",
    "AND",
    "OR",
    "LIKE",
    "IS",
    "INTERVAL",
    "'1 day'",
    "DISTINCT",
    "count",
    "sum",
    "upper",
    "coalesce",
    "orders",
    "customers",
    "v",
    "id",
    "customer",
    "amount",
    "at",
    "*",
    "(",
    ")",
    ",",
    ";",
    ".",
    "=",
    "+",
    "-",
    "/",
    "1",
    "0.5",
    "'x'",
    "\"q\"",
    "INT",
    "VARCHAR(5)",
];

fn check_arbitrary(text: &str) {
    match compile_text(&format!("{TABLES}\n{text}")) {
        Ok(_) => {}
        Err(refused) => {
            assert_ne!(refused.code, "internal", "{text:?}: {refused}");
            assert!(refused.line >= 1 && refused.column >= 1 && refused.snippet.ends_with('^'));
        }
    }
    let options = QueryOptions { timeout: Duration::from_secs(20), ..QueryOptions::default() };
    if let Err(QueryError::Failed(reason)) = run(text, vec![orders()], options) {
        assert!(!reason.contains("panicked") && !reason.contains("unreachable"), "{text:?}: {reason}");
    }
}

/// How many texts are tried; more when a longer run is asked for.
fn cases() -> u32 {
    std::env::var("HEADWATER_SQL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        check_arbitrary(&text);
    }

    #[test]
    fn arbitrary_words_never_panic(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..30)) {
        check_arbitrary(&words.join(" "));
    }

    #[test]
    fn arbitrary_selects_never_panic(
        columns in prop::collection::vec(prop::sample::select(&WORDS[20..]), 1..8),
        condition in prop::collection::vec(prop::sample::select(&WORDS[15..]), 1..8),
    ) {
        check_arbitrary(&format!("SELECT {} FROM orders WHERE {}", columns.join(" "), condition.join(" ")));
        check_arbitrary(&format!("CREATE VIEW w AS SELECT {} FROM orders WHERE {}", columns.join(" "), condition.join(" ")));
    }
}
