//! A column that fails is NULL in itself; what is computed from it, or asked of it, sees a NULL and does not fail.

use headwater_sql::Program;

use crate::fixture::compile_text;

fn program(views: &str) -> Program {
    let tables = "CREATE TABLE t (a BIGINT, b BIGINT); CREATE TABLE u (a BIGINT, c BIGINT);";
    compile_text(&format!("{tables} {views}")).unwrap_or_else(|refused| panic!("{views}\n{refused}"))
}

/// The plan of the last view, without indentation.
fn plan(views: &str) -> Vec<String> {
    let plan = program(views).views.last().unwrap().plan.display_indent().to_string();
    plan.lines().map(|line| line.trim().to_owned()).collect()
}

/// How far down the plan the first node is that starts like this.
fn depth(plan: &[String], node: &str) -> usize {
    plan.iter().position(|line| line.starts_with(node)).unwrap_or_else(|| panic!("no {node} in {plan:#?}"))
}

#[test]
fn a_condition_on_a_computed_column_stays_above_it() {
    let plan = plan(
        "CREATE VIEW v AS SELECT a, 10 / a AS x FROM t;
         CREATE MATERIALIZED VIEW m AS SELECT a FROM v WHERE x IS NULL",
    );
    assert!(
        depth(&plan, "Filter: x IS NULL") < depth(&plan, "Projection: t.a AS a, Int64(10) / t.a AS x"),
        "{plan:#?}"
    );
}

#[test]
fn a_condition_on_a_column_beside_a_computed_one_sinks() {
    let plan = plan(
        "CREATE VIEW v AS SELECT t.a, 10 / b AS x, u.c FROM t JOIN u ON t.a = u.a;
         CREATE MATERIALIZED VIEW m AS SELECT x FROM v WHERE c > 5 AND x IS NULL",
    );
    assert!(depth(&plan, "Filter: x IS NULL") < depth(&plan, "Inner Join"), "{plan:#?}");
    assert!(depth(&plan, "Filter: u.c > Int64(5)") > depth(&plan, "Inner Join"), "{plan:#?}");
}

#[test]
fn a_condition_sinks_below_renamed_columns() {
    let plan = plan(
        "CREATE VIEW v AS SELECT t.a AS p, u.c AS q FROM t JOIN u ON t.a = u.a;
         CREATE VIEW w AS SELECT q AS r, p AS s FROM v;
         CREATE MATERIALIZED VIEW m AS SELECT s FROM w WHERE r > 5",
    );
    assert!(depth(&plan, "Filter: u.c > Int64(5)") > depth(&plan, "Inner Join"), "{plan:#?}");
}

#[test]
fn a_key_is_found_in_a_condition_above_a_computing_projection() {
    let plan = plan(
        "CREATE VIEW v AS SELECT a, 10 / b AS x FROM t;
         CREATE MATERIALIZED VIEW m AS SELECT v.a FROM v, u WHERE v.x = u.c AND v.a = u.a",
    );
    assert!(plan.iter().any(|line| line == "Inner Join: v.x = u.c, v.a = u.a"), "{plan:#?}");
}

#[test]
fn a_condition_on_a_computed_key_stays_above_the_aggregate() {
    let plan = plan(
        "CREATE MATERIALIZED VIEW m AS SELECT 10 / a AS x, COUNT(*) AS n FROM t GROUP BY 10 / a HAVING 10 / a IS NULL",
    );
    assert!(depth(&plan, "Filter: ") < depth(&plan, "Aggregate: "), "{plan:#?}");
}

#[test]
fn a_condition_on_a_plain_key_sinks_below_the_aggregate() {
    let plan = plan("CREATE MATERIALIZED VIEW m AS SELECT a, COUNT(*) AS n FROM t GROUP BY a HAVING a > 5");
    assert!(depth(&plan, "Filter: t.a > Int64(5)") > depth(&plan, "Aggregate: "), "{plan:#?}");
}

#[test]
fn an_expression_over_a_computed_column_does_not_swallow_it() {
    for expression in ["coalesce(x, -1)", "x IS NULL", "CASE WHEN b > 0 THEN 1 ELSE x END"] {
        let plan = plan(&format!(
            "CREATE MATERIALIZED VIEW m AS SELECT {expression} AS y FROM (SELECT b, 10 / a AS x FROM t)"
        ));
        let computing = depth(&plan, "Projection: ");
        assert!(!plan[computing].contains('/'), "{plan:#?}");
        assert!(plan[computing + 1..].iter().any(|line| line.contains("Int64(10) / t.a AS x")), "{plan:#?}");
    }
}

#[test]
fn a_projection_that_only_renames_joins_the_computing_one() {
    let plan = plan(
        "CREATE MATERIALIZED VIEW m AS SELECT y AS z FROM (SELECT x AS y FROM (SELECT 10 / a AS x FROM t))",
    );
    assert_eq!(plan, ["Projection: Int64(10) / t.a AS z", "TableScan: t projection=[a]"]);
}

#[test]
fn a_column_read_twice_is_computed_once() {
    let plan = plan("CREATE MATERIALIZED VIEW m AS SELECT x AS y, x AS z FROM (SELECT 10 / a AS x FROM t)");
    assert_eq!(
        plan,
        ["Projection: x AS y, x AS z", "Projection: Int64(10) / t.a AS x", "TableScan: t projection=[a]"]
    );
}
