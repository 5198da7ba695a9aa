//! Modules that this version cannot set yet stand for all that will come.

use super::*;

fn entry(name: &str, action: PlanAction, reason: Option<&str>) -> PlanEntry {
    PlanEntry {
        module: SQL_MODULE.to_owned(),
        name: name.to_owned(),
        kind: "table",
        action,
        reason: reason.map(str::to_owned),
        drops_data: false,
    }
}

fn feature_view(name: &str, uses: &[&str]) -> Object {
    Object {
        module: "features".to_owned(),
        kind: "feature view",
        name: name.to_owned(),
        uses: uses.iter().map(|&used| used.to_owned()).collect(),
    }
}

#[test]
fn what_another_module_uses_is_not_dropped_and_the_refusal_names_who_uses_it() {
    let others = [feature_view("recent", &["orders"]), feature_view("total", &["orders", "users"])];
    for action in [PlanAction::Drop, PlanAction::Replace] {
        let refused = effects(&[entry("orders", action, None)], &others).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "orders cannot be dropped or made anew: it is used by feature view recent of module features, \
             feature view total of module features"
        );
    }
}

#[test]
fn what_nobody_uses_may_go_and_the_others_are_in_the_plan() {
    let others = [feature_view("recent", &["orders"])];
    let entries = [entry("orders", PlanAction::Keep, None), entry("old", PlanAction::Drop, None)];
    let noticed = effects(&entries, &others).unwrap();
    let told: Vec<_> = noticed.iter().map(|e| (e.module.as_str(), e.name.as_str(), e.action)).collect();
    assert_eq!(told, [("features", "recent", PlanAction::Keep)]);
    assert_eq!(noticed[0].reason, None);
}

#[test]
fn an_object_hears_how_a_table_that_it_uses_is_altered() {
    let reason = "column amount is widened from INTEGER to BIGINT";
    let noticed =
        effects(&[entry("orders", PlanAction::Alter, Some(reason))], &[feature_view("recent", &["orders"])]);
    let expected = "it uses orders: column amount is widened from INTEGER to BIGINT";
    assert_eq!(noticed.unwrap()[0].reason.as_deref(), Some(expected));
}

#[test]
fn a_name_of_another_module_is_taken() {
    let refused = effects(&[entry("recent", PlanAction::Create, None)], &[feature_view("recent", &[])]);
    let taken = "the name recent is taken by a feature view of module features";
    assert_eq!(refused.unwrap_err().to_string(), taken);
}
