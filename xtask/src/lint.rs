use crate::process;

/// How much clippy looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Crates whose dependencies are small. Clippy needs every dependency in a form that neither the build nor the
    /// tests use; for the dataflow and SQL engines that takes minutes.
    Light,
    /// The whole workspace.
    Everything,
}

const LIGHT: [&str; 6] = [
    "headwater-types",
    "headwater-env",
    "headwater-log",
    "headwater-codec",
    "headwater-relation",
    "headwater-changes",
];

/// rustfmt over all crates, clippy over the scope; warnings are errors.
pub(crate) fn run(scope: Scope) -> Result<(), String> {
    format()?;
    clippy(scope)
}

/// Whether rustfmt would change anything.
pub(crate) fn format() -> Result<(), String> {
    process::run(&mut process::cargo(&["fmt", "--all", "--check"]))
}

/// Clippy with warnings as errors.
pub(crate) fn clippy(scope: Scope) -> Result<(), String> {
    let mut arguments = vec!["clippy", "--quiet", "--release", "--all-targets"];
    match scope {
        Scope::Everything => arguments.extend(["--workspace", "--features", "headwater-nexmark/bench"]),
        Scope::Light => {
            arguments.extend(["--package", "xtask"]);
            LIGHT.iter().for_each(|package| arguments.extend(["--package", package]));
        }
    }
    arguments.extend(["--", "--deny", "warnings"]);
    process::run(&mut process::cargo(&arguments))
}
