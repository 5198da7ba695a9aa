use std::fmt::Write;
use std::path::Path;

/// Voiding one step by hand.
mod skip;

pub use skip::{SkipError, skip};

use headwater_env::Env;
use headwater_log::inspect::{self, Verdict};
use headwater_log::sealed::SealedReader;

use crate::story::keep::{log_dir, read_manifest, snapshot_dir};

/// What is to be seen in a data folder that no server holds: logs, manifests and snapshots, and what is wrong where.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// For people.
    pub text: String,
    /// Whether anything is damaged.
    pub damaged: bool,
}

/// Looks at everything in a data folder and changes nothing.
pub fn examine(env: &Env, data_dir: &Path) -> std::io::Result<Report> {
    let mut report = Report::default();
    examine_workspace(env, &data_dir.join("system"), "_system", &mut report);
    let workspaces = data_dir.join("workspaces");
    for entry in env.disk.list(&workspaces)? {
        if entry.is_dir {
            let label = format!("workspace number {}", entry.name);
            examine_workspace(env, &workspaces.join(&entry.name), &label, &mut report);
        }
    }
    Ok(report)
}

fn examine_workspace(env: &Env, dir: &Path, label: &str, report: &mut Report) {
    let _ = writeln!(report.text, "{label}: {}", dir.display());
    match read_manifest(env, dir) {
        Ok(manifest) => {
            let _ = writeln!(
                report.text,
                "  snapshots up to LSN {}, {} relations",
                manifest.state_lsn,
                manifest.rows.len()
            );
            for (file, kind) in manifest.files_with_kinds() {
                examine_file(env, &snapshot_dir(dir).join(file), kind, report);
            }
        }
        Err(error) => damaged(report, &error.to_string()),
    }
    match inspect::inspect(env, &log_dir(dir)) {
        Ok(log) => {
            let _ = writeln!(report.text, "{log}");
            report.damaged |= matches!(log.verdict, Verdict::Damaged { .. });
        }
        Err(error) => damaged(report, &format!("the log cannot be looked at: {error}")),
    }
}

fn examine_file(env: &Env, path: &Path, kind: u32, report: &mut Report) {
    match SealedReader::open(env, path, kind) {
        Ok(file) => {
            let _ = writeln!(report.text, "  {} is whole, {} bytes", path.display(), file.file_bytes());
        }
        Err(error) => damaged(report, &error.to_string()),
    }
}

fn damaged(report: &mut Report, reason: &str) {
    let _ = writeln!(report.text, "  {reason}");
    report.damaged = true;
}
