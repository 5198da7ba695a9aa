use std::path::PathBuf;
use std::process::ExitCode;

use headwater_engine::doctor;
use headwater_env::Env;
use headwater_types::Lsn;

use super::Done;
use super::error::CliError;

/// Look at a data folder that no server holds, and say what is damaged and what can be done
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// The data folder
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    remedy: Option<Remedy>,
}

/// What can be done.
#[derive(Debug, clap::Subcommand)]
enum Remedy {
    /// Void one step that a workspace cannot apply again, with all its records
    Skip {
        /// The step
        lsn: u64,
        /// The workspace
        #[arg(long, value_name = "NAME")]
        workspace: String,
    },
}

/// Prints a report, or what was done; the exit code is not zero if anything is damaged.
pub fn run(args: &DoctorArgs) -> Done {
    let folder = args.data_dir.as_ref().ok_or_else(|| {
        CliError::new("no data folder is given".to_owned())
            .hint("headwater doctor --data-dir DIR, with the folder that was given to headwater serve")
    })?;
    match &args.remedy {
        None => examine(folder),
        Some(Remedy::Skip { lsn, workspace }) => skip(folder, workspace, Lsn(*lsn)),
    }
}

fn examine(folder: &std::path::Path) -> Done {
    let report = doctor::examine(&Env::real(), folder).map_err(|error| {
        CliError::new(format!("{} cannot be examined: {error}", folder.display()))
            .hint("give the folder that was given to headwater serve --data-dir")
    })?;
    println!("{}", report.text.trim_end());
    Ok(if report.damaged { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn skip(folder: &std::path::Path, workspace: &str, lsn: Lsn) -> Done {
    let records = doctor::skip(&Env::real(), folder, workspace, lsn).map_err(|error| {
        CliError::new(format!("step {lsn} is not skipped: {error}"))
            .hint("stop the server first; headwater doctor --data-dir DIR shows what the log holds")
    })?;
    println!(
        "step {lsn} of workspace {workspace} is void, with its {records} records; start the server again"
    );
    Ok(ExitCode::SUCCESS)
}
