use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use headwater_engine::{Budget, OpenError};
use rlimit::Resource;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::error::CliError;
use super::{Done, test_hooks};
use crate::server::{Server, ServerOptions, StartError};

/// Start the server
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Where to listen: a loopback address; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = parse_address)]
    listen: SocketAddr,

    /// Where to keep the data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Bytes that the rows, indexes and views of all workspaces together may hold in memory; 60 % of the machine's unless
    /// given
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    memory_bytes: Option<u64>,

    /// For trying things out: without --data-dir the data goes to a temporary folder
    #[arg(long)]
    dev: bool,
}

/// Serves until SIGTERM or SIGINT.
pub fn run(args: &ServeArgs) -> Done {
    let (data_dir, _temporary) = data_folder(args)?;
    raise_file_limit();
    let mut options = ServerOptions::new(args.listen, data_dir.clone());
    if let Some(bytes) = args.memory_bytes {
        options.budget = Budget::of_memory(bytes);
    }
    let options = test_hooks::apply(options)?;
    let server = Server::open(options).map_err(|error| explain(error, &data_dir))?;
    let address = server.address();
    runtime()?.block_on(async move {
        let stop = stop_signal()?;
        announce(address);
        server.run_until(stop).await.map_err(|error| CliError::new(format!("the server failed: {error}")))
    })?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The data folder; a temporary one is removed when its guard is dropped.
fn data_folder(args: &ServeArgs) -> Result<(PathBuf, Option<TempDir>), CliError> {
    match (&args.data_dir, args.dev) {
        (Some(folder), _) => Ok((folder.clone(), None)),
        (None, true) => {
            let temporary = temporary_folder()?;
            tracing::info!(folder = %temporary.path().display(), "data is kept in a temporary folder, removed at the end");
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
        (None, false) => Err(CliError::new("nobody said where to keep the data")
            .hint("headwater serve --data-dir DIR, or headwater serve --dev for a temporary folder")),
    }
}

/// A folder that is removed when dropped.
pub(super) fn temporary_folder() -> Result<TempDir, CliError> {
    tempfile::Builder::new().prefix("headwater-").tempdir().map_err(|error| {
        CliError::new(format!("no temporary folder can be made: {error}")).hint("give --data-dir DIR")
    })
}

/// Says on stdout, for people and programs alike, that connections are accepted.
fn announce(address: SocketAddr) {
    let mut stdout = std::io::stdout().lock();
    let told = writeln!(stdout, "headwater listening on http://{address}").and_then(|()| stdout.flush());
    if let Err(error) = told {
        tracing::warn!(%error, "stdout is closed");
    }
}

/// The threads that serve.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|error| CliError::new(format!("no threads can be started: {error}")))
}

/// Done at the first SIGTERM or SIGINT. A second one ends the process at once, without draining.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let listen =
        |kind| signal(kind).map_err(|error| CliError::new(format!("signals cannot be received: {error}")));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        tracing::info!("stopping: requests under way are answered first; once more to stop at once");
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
            tracing::warn!("stopped at once");
            std::process::exit(130);
        });
    })
}

/// Each connection takes a file, and the usual soft limit of 1,024 is below our own.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, files = ?Resource::NOFILE.get_soft().ok(), "the limit on open files stays as it is");
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port.parse().map_err(|_| format!("{port:?} is not a port"))?;
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_| "give an address and a port, like 127.0.0.1:8080".to_owned())
}

/// What to type next.
pub(super) fn explain(error: StartError, data_dir: &Path) -> CliError {
    let said = CliError::new(error.to_string());
    match error {
        StartError::NotLoopback { address } => said.hint(format!(
            "this version has no keys, so it serves its own machine only: headwater serve --listen 127.0.0.1:{}",
            address.port()
        )),
        StartError::PortInUse { address } => said.hint(format!(
            "stop the other program, or take another port: headwater serve --listen {}:{}",
            address.ip(),
            address.port().wrapping_add(1)
        )),
        StartError::Listen { .. } => said,
        StartError::Open(error) => explain_open(&error, said, data_dir),
    }
}

fn explain_open(error: &OpenError, said: CliError, data_dir: &Path) -> CliError {
    let doctor = format!("headwater doctor --data-dir {}", data_dir.display());
    match error {
        OpenError::Locked { .. } => {
            said.hint("stop the other headwater, or give another folder: --data-dir DIR")
        }
        OpenError::Io { .. } | OpenError::NoRoom { .. } => {
            said.hint("check that the folder can be written, or give another: --data-dir DIR")
        }
        OpenError::Log { .. } | OpenError::Recover { .. } => {
            said.hint(format!("to see what is wrong: {doctor}"))
        }
        OpenError::SystemProgram(_) | OpenError::SystemName(_) => {
            said.hint(format!("another version may have written the folder; to see what is in it: {doctor}"))
        }
    }
}
