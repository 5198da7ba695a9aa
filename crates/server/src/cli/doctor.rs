use std::path::PathBuf;
use std::process::ExitCode;

use headwater_engine::doctor;
use headwater_env::Env;

use super::Done;
use super::error::CliError;

/// Look at a data folder that no server holds, and say what is damaged and what can be done
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// The data folder
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

/// Prints the report; the exit code is not zero if anything is damaged.
pub fn run(args: &DoctorArgs) -> Done {
    let folder = &args.data_dir;
    let report = doctor::examine(&Env::real(), folder).map_err(|error| {
        CliError::new(format!("{} cannot be examined: {error}", folder.display()))
            .hint("give the folder that was given to headwater serve --data-dir")
    })?;
    println!("{}", report.text.trim_end());
    Ok(if report.damaged { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
