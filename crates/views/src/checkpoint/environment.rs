use headwater_sql::{Program, ViewDefinition};

use crate::circuit::view_schema;

/// How rows, accumulators and operators lie in files. One more with every change of what operators keep, of the
/// order in which they are built, or of a file's layout.
const STATE_FORMAT: u32 = 1;

/// The versions of what writes and reads the bytes, as Cargo.lock has them.
const DBSP: &str = "0.349.0";
const ARROW: &str = "59.3.2";

/// How many threads share the state.
pub(crate) const WORKERS: usize = 1;

/// What must be the same where a checkpoint is restored.
pub(super) fn environment() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (os, cpu) = (std::env::consts::OS, std::env::consts::ARCH);
    format!(
        "headwater {version}, state {STATE_FORMAT}, dbsp {DBSP}, arrow {ARROW}, workers {WORKERS}, {os} {cpu}"
    )
}

/// A hash of all that the state of these views depends on.
pub(crate) fn plan_hash<'a>(views: impl Iterator<Item = &'a ViewDefinition>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    for view in views {
        add(view.name.as_str());
        add(&view.sql);
        add(&view.plan.display_indent_schema().to_string());
        for field in view_schema(view).fields() {
            add(field.name());
            add(&field.data_type().to_string());
        }
    }
    *hasher.finalize().as_bytes()
}

/// The definitions of these views, in this order; the first that the program lacks otherwise.
pub(super) fn definitions<'p>(
    program: &'p Program,
    views: &[headwater_types::Name],
) -> Result<Vec<&'p ViewDefinition>, headwater_types::Name> {
    let definition = |name: &headwater_types::Name| {
        let found = program.views.iter().find(|view| view.materialized && view.name == *name);
        found.map(AsRef::as_ref).ok_or_else(|| name.clone())
    };
    views.iter().map(definition).collect()
}

#[cfg(test)]
mod tests {
    use super::{ARROW, DBSP};

    #[test]
    fn the_versions_are_those_that_are_built() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        for (name, version) in [("dbsp", DBSP), ("arrow-row", ARROW)] {
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&entry), "{name} is not {version}; its bytes on disk may differ");
        }
    }
}
