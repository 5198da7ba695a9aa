use super::*;

#[test]
fn the_workspaces_own_crates_are_left_out() {
    let printed = "headwater-log v0.1.0 (/somewhere/crates/log) []\n\nserde v1.0.229 [derive,std]\nserde v1.0.229 [derive,std]\nsyn-x v1.0.0 (proc-macro) [] (*)\n";
    let found: Vec<String> = external(printed).into_iter().collect();
    assert_eq!(found, ["serde v1.0.229 [derive,std]", "syn-x v1.0.0 []"]);
}

#[test]
fn a_manifest_gives_the_packages_name() {
    assert_eq!(package_name("[package]\nname = \"headwater-log\"\n").as_deref(), Some("headwater-log"));
    assert_eq!(package_name("[workspace]\n"), None);
}
