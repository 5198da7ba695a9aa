//! The command line: one file per subcommand.

/// Requests to a running server.
pub mod client;
/// `headwater demo`
pub mod demo;
/// `headwater doctor`
pub mod doctor;
/// Why a command ended without doing its work, and what to type next.
pub mod error;
/// `headwater explain`
pub mod explain;
/// `headwater push`
pub mod push;
/// `headwater serve`
pub mod serve;
/// Cuts a file into requests of bounded size.
pub mod split;
/// `headwater sql`
pub mod sql;
/// Rows as a table of text.
pub mod table;
/// `headwater tail`
pub mod tail;
/// What tests of the binary can ask for.
mod test_hooks;

use std::process::ExitCode;

use clap::Parser;

use crate::logging::{self, LogFormat};
use error::CliError;

/// Push events over HTTP, keep SQL views over them, read what is fresh
#[derive(Debug, Parser)]
#[command(name = "headwater", version, arg_required_else_help = true)]
struct Arguments {
    /// How log lines on stderr look; HEADWATER_LOG says which are written
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Sql(sql::SqlArgs),
    Push(push::PushArgs),
    Tail(tail::TailArgs),
    Explain(explain::ExplainArgs),
    Demo(crate::demo::DemoArgs),
    Doctor(doctor::DoctorArgs),
}

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start(arguments.log_format);
    let done = match arguments.command {
        Command::Serve(args) => serve::run(&args),
        Command::Sql(args) => sql::run(&args),
        Command::Push(args) => push::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Doctor(args) => doctor::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("headwater: {error}");
        ExitCode::FAILURE
    })
}

/// Where a server is.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerArgs {
    /// The server
    #[arg(long, env = "HEADWATER_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,

    /// The workspace; not needed if the server has only one
    #[arg(long, short, value_name = "NAME")]
    pub workspace: Option<String>,
}

/// What every command gives back.
pub type Done = Result<ExitCode, CliError>;
